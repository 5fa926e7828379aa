-- test_imgcls.lua FOLDER: tests of the Lua module; prints "ok" and "not ok" lines.
local imgcls = require "imgcls"
local folder = arg[1]
local failed = 0

local function test(name, body)
   local passed, problem = pcall(body)
   if not passed then
      failed = failed + 1
   end
   print((passed and "ok " or "not ok ") .. name .. (passed and "" or ": " .. tostring(problem)))
end

-- A picture of side x side: class "dark" or "light", no two alike.
local function picture(light, seed, side)
   local bytes = {}
   for i = 1, side * side do
      bytes[i] = string.char((light and 170 or 20) + (i * 7 + seed * 13) % 60)
   end
   return assert(imgcls.pixels(table.concat(bytes), side, side, "grey8"))
end

local function pictures()
   local set = assert(imgcls.dataset(nil))
   for i = 1, 60 do
      assert(set:add(picture(i % 2 == 0, i, 28), i % 2 == 0 and "light" or "dark"))
   end
   return set
end

local settings = { network = "lenet5", epochs = 3, batch_size = 10, seed = 5 }
local set, model

test("version and options", function()
   assert(imgcls.version():match("^%d+%.%d+%.%d+$"))
   local names = {}
   for _, option in ipairs(imgcls.options()) do
      names[option.name] = option
   end
   assert(names.batch_size.type == "int" and names.epochs.help ~= "")
end)

test("configure, before anything else", function()
   assert(imgcls.configure { threads = 2 })
end)

test("log function", function()
   local lines = {}
   imgcls.log(function(_, message) lines[#lines + 1] = message end)
   set = pictures()
   model = assert(imgcls.model(set, settings))
   imgcls.log(nil)
   assert(#lines > 0, "the choices of the model are logged")
end)

test("data set", function()
   assert(set:count() == 60)
   local classes = set:classes()
   assert(#classes == 2 and classes[1].class == "dark" and classes[1].count == 30)
   assert(#set:broken() == 0)
   assert(set:json():match('"count":60'))
   local train, validation = assert(set:split { validation_share = 0.2 })
   assert(train:count() + validation:count() == 60 and validation:count() > 0)
end)

test("folds and groups", function()
   local held_out = 0
   for index = 1, 5 do
      local train, validation = assert(set:fold(5, index))
      assert(train:count() + validation:count() == 60)
      held_out = held_out + validation:count()
   end
   assert(held_out == 60)
   local nothing, message = set:fold(5, 6)
   assert(nothing == nil and message:match("fold 5 of 5"))
   local grouped = assert(imgcls.dataset(nil))
   for i = 1, 4 do
      assert(grouped:add(picture(true, i, 28), "a", i < 3 and "one" or "two"))
   end
   assert(grouped:group(1) == grouped:group(2) and grouped:group(2) ~= grouped:group(3))
   assert(set:group(1) == 0)
end)

test("inspection", function()
   local twice = assert(imgcls.dataset(nil))
   for i = 1, 3 do
      assert(twice:add(picture(true, i % 2, 28), "a"))
   end
   local inspection = assert(twice:inspect { duplicates = "exact" })
   local pairs_found, findings = inspection:pairs(), inspection:findings()
   assert(#pairs_found == 1 and pairs_found[1].first == 1 and pairs_found[1].second == 3)
   assert(pairs_found[1].score == 1 and not pairs_found[1].near)
   assert(findings[1].kind == "duplicate" and findings[1].examples == "memory#1 = memory#3")
   assert(inspection:json():match('"findings"'))
   local path = os.tmpname()
   os.remove(path)
   assert(inspection:plot("duplicates", path .. ".svg"))
   os.remove(path .. ".svg")
   local phases = {}
   assert(twice:inspect(nil, function(event) phases[event.phase] = true end))
   assert(phases.duplicates)
end)

test("training step by step", function()
   local train, validation = assert(set:split(settings))
   local trainer = assert(imgcls.trainer(model, train, validation, settings))
   local steps = 0
   while assert(trainer:step() ~= nil) and steps < 1000 do
      steps = steps + 1
      if trainer:value("epoch") == 3 then break end
   end
   assert(steps > 3)
   trainer:close()
   trainer:close()
end)

test("training with progress", function()
   local train, validation = assert(set:split(settings))
   local trainer = assert(imgcls.trainer(model, train, validation, settings))
   local epochs = 0
   assert(trainer:run(function(event)
      if event.epoch_done then epochs = epochs + 1 end
      assert(event.waiting >= 0 and event.waiting <= 1)
   end))
   assert(epochs == 3, "three epochs were reported")
end)

test("a learning rate by trying", function()
   local trainer = assert(imgcls.trainer(model, set, nil, settings))
   local trials = 0
   local rate = assert(trainer:find_rate(function(event)
      assert(event.phase == "rate")
      trials = trials + 1
   end))
   assert(rate > 1e-5 and rate <= 1 and trials > 0)
   local none, _, code = trainer:find_rate(function() return true end)
   assert(none == nil and code == -11)
   trainer:close()
end)

local function bytes_of(path)
   local file = io.open(path, "rb")
   local bytes = file and file:read("*a")
   if file then file:close() end
   return bytes
end

test("curves while training", function()
   local train, validation = assert(set:split(settings))
   local new = assert(imgcls.model(train, settings))
   local trainer = assert(imgcls.trainer(new, train, validation, settings))
   local path, seen = folder .. "/live.svg", nil
   assert(select(2, trainer:plot(path)):match("first epoch"))
   assert(trainer:run(function(event) seen = seen or event.epoch_done and bytes_of(path) end, path))
   assert(seen:match("</svg>") and new:plot_history(folder .. "/whole.svg"))
   assert(bytes_of(path) == bytes_of(folder .. "/whole.svg") and bytes_of(path) ~= seen)
   assert(select(2, trainer:run(nil, folder .. "/live.gif")):match("live.gif"))
   assert(trainer:plot(folder .. "/live.png"))
end)

-- What an uninterrupted training of the set ends with.
local function whole_training(train, validation)
   local whole = assert(imgcls.model(train, settings))
   assert(assert(imgcls.trainer(whole, train, validation, settings)):run())
   return whole:bytes()
end

test("an interrupted training is resumed to the same bytes", function()
   local train, validation = assert(set:split(settings))
   local path = folder .. "/some.checkpoint"
   local part = assert(imgcls.model(train, settings))
   local trainer = assert(imgcls.trainer(part, train, validation, settings))
   for _ = 1, 9 do assert(trainer:step()) end
   assert(trainer:save(path))
   trainer:close()
   local wanted = whole_training(train, validation)
   for _, sets in ipairs { { train, validation }, { set } } do
      local resumed, again = assert(imgcls.resume(path, sets[1], sets[2]))
      assert(again:run() and resumed:bytes() == wanted)
   end
   assert(imgcls.load(path):classes()[2] == "light", "a checkpoint is a model, too")
   local none, message, code = imgcls.resume(path, train, train)
   assert(none == nil and message:match("not the pictures") and code == -9)
   none, message = imgcls.resume(folder .. "/missing", train)
   assert(none == nil and message:match("missing"))
   assert(not trainer.save(imgcls.trainer(part, set), folder .. "/nowhere/x"))
end)

test("a model that begins with an earlier one", function()
   local more = pictures()
   assert(more:add(picture(true, 100, 28), "grey") and more:add(picture(true, 101, 28), "grey"))
   local tuned = assert(imgcls.model_from(model, more))
   assert(#tuned:classes() == 3 and tuned:classes()[3] == "grey" and tuned:input() == 28)
   local same = assert(imgcls.model_from(model, set, { seed = 2 }))
   local image = picture(true, 5, 28)
   assert(select(2, same:predict(image)) == select(2, model:predict(image)))
   local none, message = imgcls.model_from(model, set, { network = "plain" })
   assert(none == nil and message:match("network"))
   assert(not pcall(imgcls.model_from, set, set))
end)

test("cancel, and errors in callbacks", function()
   local trainer = assert(imgcls.trainer(model, set, nil, settings))
   local done, message, code = trainer:run(function() return true end)
   assert(done == nil and code == -11 and message ~= "")
   local passed, problem = pcall(trainer.run, trainer, function() error("mine") end)
   assert(not passed and tostring(problem):match("mine"))
end)

test("a trainer at work is not to be touched", function()
   local trainer = assert(imgcls.trainer(model, set, nil, settings))
   local problems = {}
   assert(trainer:run(function()
      for _, method in ipairs { "close", "step", "run" } do
         problems[method] = select(2, pcall(trainer[method], trainer))
      end
   end))
   for _, method in ipairs { "close", "step", "run" } do
      assert(tostring(problems[method]):match("at work"), method)
   end
   assert(trainer:value("epoch") == 3)
   trainer:close()
end)

test("messages come to the coroutine that makes the call", function()
   local seen = {}
   imgcls.log(function() seen[coroutine.running() or "main"] = true end)
   local function only(thread)
      return seen[thread] and next(seen) == thread and next(seen, thread) == nil
   end
   local path, first, second = folder .. "/messages.svg", nil, nil
   coroutine.wrap(function()
      first = coroutine.running()
      assert(imgcls.model(set, settings))
   end)()
   assert(only(first), "of a function")
   first, seen = nil, {}
   collectgarbage()
   coroutine.wrap(function()
      second = coroutine.running()
      assert(set:plot_augmentation(path))
   end)()
   assert(only(second), "of a method")
   local part, outer, inner = assert(set:split()), nil, nil
   coroutine.wrap(function()
      outer = coroutine.running()
      assert(set:cross_validate({ network = "lenet5", epochs = 1, folds = 2, resamples = 0 }, function()
         if not inner then
            inner = coroutine.create(function() return assert(imgcls.model(part, settings)) end)
            assert(coroutine.resume(inner))
            seen = {}
         end
      end))
   end)()
   assert(only(outer), "after a call of another coroutine within a progress function")
   seen = {}
   package.loaded.imgcls = nil
   imgcls = require "imgcls"
   collectgarbage()
   assert(set:plot_augmentation(path) and next(seen), "after the module was loaded anew")
   imgcls.log(nil)
end)

test("calls within progress functions", function()
   local train, validation = assert(set:split(settings))
   local trainer = assert(imgcls.trainer(assert(imgcls.model(train, settings)), train, validation, settings))
   local other = assert(imgcls.trainer(assert(imgcls.model(train, settings)), train, validation, settings))
   local epochs, outer, inner, steps = 0, {}, {}, 0
   assert(trainer:run(function(event)
      outer[event.phase] = true
      if event.epoch_done then
         epochs = epochs + 1
         assert(set:inspect(nil, function(e) inner[e.phase] = true end))
         assert(model:evaluate(set, { split = "all" }))
         coroutine.wrap(function() -- epochs of their own, without a progress function
            while steps < 9 * epochs and assert(other:step() ~= nil) do steps = steps + 1 end
         end)()
      end
   end))
   assert(epochs == 3 and inner.duplicates and steps == 27, "the outer training goes on with its function")
   assert(not outer.duplicates and not outer.evaluate and not inner.train, "each hears of its own work")
   local passed, problem = pcall(set.inspect, set, nil, function()
      assert(not pcall(set.inspect, set, nil, function() error("inner") end))
      error("outer")
   end)
   assert(not passed and tostring(problem):match("outer"))
end)

test("files as the model wants them", function()
   local path = folder .. "/wanted.png"
   assert(picture(true, 99, 40):save_png(path))
   local file = assert(io.open(path, "rb"))
   local bytes = file:read("*a")
   file:close()
   local wanted = select(2, model:predict(assert(imgcls.image(path))))
   for _, way in ipairs { path, assert(model:image(path)), assert(model:decode(bytes)) } do
      assert(select(2, model:predict(way)) == wanted)
   end
   local nothing, problem = model:image(folder .. "/nowhere.jpg")
   assert(nothing == nil and problem:match("nowhere.jpg"))
   assert(model:decode("GIF89a") == nil)
   local files = assert(imgcls.dataset(nil))
   assert(files:add(path, "light", "one") and files:add(folder .. "/nowhere.png", "dark", "two"))
   assert(files:count() == 1 and #files:broken() == 1 and files:group(1) > 0)
   assert(files:add(picture(false, 7, 40), "dark"))
   local shrinks = assert(imgcls.model(files, { network = "lenet5", decode = "shrink" }))
   local neighbours = assert(shrinks:neighbours(files))
   local indices, alike = assert(neighbours:find(path, 1))
   assert(indices[1] == 1 and alike[1] > 0.999)
   collectgarbage()
   shrinks:close()
   assert(neighbours:find(path, 1)[1] == 1)
   assert(not pcall(imgcls.model, set, { network = "lenet5", decode = "half" }))
end)

test("predict", function()
   local class, probability, ranking = model:predict(picture(true, 99, 28))
   assert(class == "light" and probability > 0.5, class)
   assert(#ranking == 2 and ranking[1].class == class and ranking[1].probability == probability)
   local all = assert(model:predict_all { picture(true, 99, 28), picture(false, 98, 40) })
   assert(all[1][1].probability == probability and all[2][1].class == "dark")
end)

test("neighbours", function()
   local all = assert(model:neighbours(set))
   local indices, similarities = assert(all:find(picture(true, 99, 28), 4))
   assert(#indices == 4 and #similarities == 4 and similarities[1] >= similarities[4])
   assert(select(2, set:item(indices[1])) == "light")
   assert(not pcall(all.find, all, picture(true, 99, 28), 0))
   all:close()
end)

test("decide", function()
   assert(model:costs() == nil and select(3, model:decide { 0.5, 0.5 }))
   assert(model:set_threshold(2, 0.9))
   assert(model:decide { 0.2, 0.8 } == 1 and select(2, model:decide { 0.05, 0.95 }) == "light")
   assert(model:set_costs { { 0, 1 }, { 50, 0 } })
   local costs = model:costs()
   assert(costs[1][2] == 1 and costs[2][1] == 50 and model:decide { 0.9, 0.1 } == 2)
   assert(model:set_costs { { 0, -1 }, { 1, 0 } } == nil)
   assert(not pcall(model.set_costs, model, { { 0 } }) and not pcall(model.decide, model, {}))
   assert(model:set_costs() and model:costs() == nil)
end)

test("explain", function()
   local image = picture(true, 99, 40)
   for _, method in ipairs { "gradcam", "occlusion" } do
      local phase
      local explanation, class, probability = assert(model:explain(image, { method = method }, function(event)
         phase = event.phase
      end))
      assert(class == "light" and probability == select(2, model:predict(image)))
      assert(explanation:method() == method and (phase == "explain") == (method == "occlusion"))
      local map, small = explanation:map(), explanation:tensor_map()
      assert(#map == 40 and #map[1] == 40 and #small == 28 and #small[28] == 28)
      for _, row in ipairs(small) do
         for _, value in ipairs(row) do
            assert(value >= 0 and value <= 1)
         end
      end
      local drawn = assert(explanation:image())
      assert(select(3, drawn:info()) == 3 and drawn:save_png(folder .. "/heat.png"))
      explanation:close()
   end
   local problem_of_closing
   assert(model:explain(image, { method = "occlusion" }, function()
      problem_of_closing = select(2, pcall(model.close, model))
   end))
   assert(tostring(problem_of_closing):match("at work"))
   assert(select(2, model:explain(folder .. "/heat.png", { class = "dark" })) == "dark")
   local none, problem = model:explain(image, { class = "grey" })
   assert(none == nil and problem:match("no class grey"))
   assert(not pcall(model.explain, model, image, { method = "guess" }))
end)

test("unknown pictures and ensembles", function()
   local _, _, ranking = model:predict(picture(true, 99, 28))
   assert(ranking.unknown == nil and ranking.score == nil and ranking.spread == 0)
   local told = { network = "lenet5", epochs = 3, batch_size = 9, seed = 5, validation_share = 0.85 }
   local train, validation = assert(set:split(told))
   local new = assert(imgcls.model(train, told))
   assert(assert(imgcls.trainer(new, train, validation, told)):run())
   local image, blank = picture(true, 99, 28), assert(imgcls.pixels(("\0"):rep(784), 28, 28, "grey8"))
   local known, stranger = (table.unpack or unpack)(assert(new:predict_all { image, blank }))
   assert(stranger.unknown == true and stranger.score > stranger.threshold)
   assert(known.unknown ~= nil and known.score < stranger.score and known.threshold == stranger.threshold)
   local both = assert(imgcls.predict_ensemble({ new, model }, { image }))[1]
   local function light(r)
      return r[1].class == "light" and r[1].probability or r[2].probability
   end
   assert(math.abs(light(both) - (light(known) + light(ranking)) / 2) < 1e-6)
   assert(math.abs(both.spread - math.abs(light(known) - light(ranking)) / 2) < 1e-6)
   assert(both.unknown == nil, "not all of them can tell")
   assert(not pcall(imgcls.predict_ensemble, { new, image }, { image }))
   assert(select(3, imgcls.predict_ensemble({}, { image })))
end)

test("views", function()
   local train, validation = assert(set:split(settings))
   local mirrors = { network = "lenet5", epochs = 1, batch_size = 10, flip = true }
   local new = assert(imgcls.model(train, mirrors))
   assert(assert(imgcls.trainer(new, train, validation, mirrors)):run())
   local image, seen = picture(true, 99, 28), {}
   for _, views in ipairs { 1, 2, 6 } do
      local _, probability = assert(new:predict(image, views))
      assert(not seen[probability] and probability > 0.1 and probability < 1)
      seen[probability] = true
      assert(new:predict_all({ image, image }, views)[2][1].probability == probability)
   end
   assert(seen[select(2, new:predict(image))], "one view unless asked for more")
   assert(select(2, model:predict(image, 2)) == select(2, model:predict(image)), "never mirrored")
   local loss = assert(new:evaluate(set, { split = "all" })):value("loss")
   assert(assert(new:evaluate(set, { split = "all", views = 6 })):value("loss") ~= loss)
   assert(image:save_png(folder .. "/views.png"))
   assert(seen[select(2, new:predict(folder .. "/views.png", 6))])
   for wrong, reason in pairs { [0] = "1, 2 or 6", [3] = "1, 2 or 6", [2 ^ 32 + 1] = "beyond", many = "number" } do
      local passed, problem = pcall(new.predict, new, image, wrong)
      assert(not passed and tostring(problem):match(reason))
   end
   assert(not pcall(new.evaluate, new, set, { views = 3 }))
end)

test("evaluate and plot", function()
   local report = assert(model:evaluate(set, { split = "all" }))
   assert(report:value("accuracy") > 0.9 and report:split() == "all")
   assert(report:class_value(1, "recall") > 0.8)
   assert(report:confusion(1, 1) + report:confusion(1, 2) == 30)
   assert(not report:decision(1, 1) and model:set_threshold(2, 0.5) and report:decide())
   assert(report:decision(1, 1) == report:confusion(1, 1) and report:value("decision_cost") < 0.2)
   assert(model:set_costs() and report:json():match('"accuracy"'))
   assert(report:plot_confusion(folder .. "/confusion.png"))
   assert(report:save_html(folder .. "/report.html", { method = "gradcam" }))
   assert(io.open(folder .. "/report.html"):read("*a"):match("^<!DOCTYPE html>.*</html>\n$"))
   assert(not report:save_html(folder .. "/no/such/report.html"))
   assert(not pcall(report.save_html, report, folder .. "/report.html", { method = "magic" }))
   assert(model:plot_history(folder .. "/history.svg"))
   assert(set:plot_augmentation(folder .. "/sheet.svg", { noise = 0.2 }))
   assert(not set:plot_augmentation(folder .. "/sheet.gif"))
end)

test("how sure it is, and what has changed", function()
   local report = assert(model:evaluate(set, { split = "all", resamples = 50 }))
   local low, high = assert(report:interval("accuracy"))
   assert(low < report:value("accuracy") and high >= report:value("accuracy"))
   low, high = assert(report:class_interval(2, "auc"))
   assert(low <= high and high <= 1)
   assert(not report:interval("count"))
   local x, y, threshold = assert(report:curve("roc", 2))
   assert(x[1] == 0 and y[#y] == 1 and threshold[1] == math.huge)
   assert(#report:curve("calibration") == 15)
   local cut, sensitivity, specificity = assert(report:operating_point(2, "specificity", 0.9))
   assert(cut > 0 and sensitivity <= 1 and specificity >= 0.9)
   local pictures = report:pictures()
   assert(#pictures == report:value("count") and pictures[1].file == "memory#1")
   local first = pictures[1]
   assert(first.probabilities[first.predicted] == first.probability and first.actual >= 1)
   local same = assert(report:compare(report))
   assert(same.count == #pictures and same.p_value == 1 and #same.regressions == 0)
   local other = assert(imgcls.model(set, { network = "lenet5", seed = 5 }))
   local compared = assert(report:compare(assert(other:evaluate(set, { split = "all" }))))
   assert(#compared.regressions == compared.only_before_right and #compared.regressions > 0)
   local lost = compared.regressions[1]
   assert(lost.class == lost.before and lost.after ~= lost.class and lost.file:match("memory#"))
end)

test("cross-validation", function()
   local small = { network = "lenet5", epochs = 6, batch_size = 10, seed = 5, folds = 3, resamples = 0 }
   local wrong = assert(imgcls.dataset(nil)) -- a light picture among the dark ones
   for i = 1, 60 do
      assert(wrong:add(picture(i % 2 == 0 or i == 7, i, 28), i % 2 == 0 and "light" or "dark"))
   end
   local phases, problem = {}, nil
   local report = assert(wrong:cross_validate(small, function(event)
      phases[event.phase] = true
      problem = select(2, pcall(wrong.close, wrong))
   end))
   assert(phases.train and phases.evaluate and tostring(problem):match("at work"))
   assert(report:split() == "folds" and report:value("count") == 60)
   assert(report:classes()[1] == "dark" and report:classes()[2] == "light" and #report:classes() == 2)
   local count, right = 0, 0
   assert(report:fold_count() == 3)
   for fold = 1, 3 do
      count = count + report:fold_value(fold, "count")
      right = right + report:fold_value(fold, "count") * report:fold_value(fold, "accuracy")
   end
   assert(count == 60 and math.abs(right / 60 - report:value("accuracy")) < 1e-12)
   assert(select(3, report:fold_value(4, "accuracy")) == -1)
   local doubt = assert(report:label_errors())[1]
   assert(doubt.file == "memory#7" and doubt.label == "dark" and doubt.suggested == "light")
   assert(doubt.margin > 0 and doubt.margin <= 1)
   local none, _, code = wrong:cross_validate(small, function() return true end)
   assert(none == nil and code == -11 and wrong:count() == 60, "and the set may be used again")
   assert(select(2, wrong:cross_validate { folds = 1 }):match("folds"))
   local plain = assert(model:evaluate(set, { split = "all" }))
   assert(plain:fold_count() == 0 and #plain:label_errors() == 0)
end)

test("save and load give the same bits", function()
   local path = folder .. "/model.safetensors"
   assert(model:save(path))
   local again, same = assert(imgcls.load(path)), assert(imgcls.load_bytes(model:bytes()))
   local _, wanted = model:predict(picture(true, 7, 28))
   assert(select(2, again:predict(picture(true, 7, 28))) == wanted)
   assert(select(2, same:predict(picture(true, 7, 28))) == wanted)
   assert(again:classes()[2] == "light")
   local width, height, channels = again:input()
   assert(width == 28 and height == 28 and channels == 1)
   assert(again:json():match("lenet5") and again:flags():match("^%-%-network lenet5 "))
   assert(select(2, assert(imgcls.model_from(model, set)):flags()):match("not been trained"))
end)

test("pictures to and from files", function()
   local path = folder .. "/picture.png"
   assert(picture(true, 3, 20):save_png(path))
   local width, height, channels, depth = assert(imgcls.image(path)):info()
   assert(width == 20 and height == 20 and channels == 1 and depth == 8)
   local file = assert(io.open(path, "rb"))
   assert(imgcls.decode(file:read("*a")))
   file:close()
   assert(model:predict(path))
end)

test("expected failures return nil, message, code", function()
   local nothing, message, code = imgcls.load(folder .. "/missing.safetensors")
   assert(nothing == nil and message:match("missing.safetensors") and code == -4)
   nothing, message = model:predict(folder .. "/missing.jpg")
   assert(nothing == nil and message:match("missing.jpg"))
   nothing, message = imgcls.dataset(folder .. "/nowhere")
   assert(nothing == nil and message:match("nowhere"))
end)

test("misuse raises", function()
   assert(not pcall(imgcls.load))
   assert(not pcall(model.predict, model, 42))
   assert(not pcall(imgcls.pixels, "abc", 2, 2, "grey8"))
   for _, misuse in ipairs { { model.save, model, "one\0two" }, { imgcls.image, "1.png\0.jpg" },
                             { set.add, set, picture(true, 1, 28), "cat\0dog" },
                             { set.add, set, picture(true, 1, 28), "cat", "a\0b" },
                             { imgcls.model, set, { network = "lenet5\0" } } } do
      local passed, problem = pcall((table.unpack or unpack)(misuse))
      assert(not passed and problem:find("zero byte"), problem)
   end
   assert(select(2, pcall(imgcls.model, set, { network = {} })):find("network takes"))
   local passed, problem = pcall(imgcls.model, set, { epoch = 3 })
   assert(not passed and tostring(problem):match("epochs"), "the nearest name is suggested")
   local image = picture(true, 1, 28)
   image:close()
   assert(not pcall(model.predict, model, image))
end)

-- Numbers of which the last 32 or 64 bits are small ones, and the ends of the types.
test("numbers that are too large raise", function()
   local report = assert(model:evaluate(set, { split = "all", resamples = 0 }))
   local all, image = assert(model:neighbours(set)), picture(true, 1, 28)
   local calls = {
      { "class_value", function(n) return report:class_value(n, "recall") end },
      { "class_interval", function(n) return report:class_interval(n, "recall") end },
      { "confusion", function(n) return report:confusion(n, 1) end },
      { "confusion", function(n) return report:confusion(1, n) end },
      { "decision", function(n) return report:decision(n, 1) end },
      { "curve", function(n) return report:curve("roc", n) end },
      { "operating_point", function(n) return report:operating_point(n, "sensitivity", 0.9) end },
      { "fold_value", function(n) return report:fold_value(n, "accuracy") end },
      { "fold", function(n) return set:fold(n, 1) end },
      { "fold", function(n) return set:fold(5, n) end },
      { "group", function(n) return set:group(n) end },
      { "item", function(n) return set:item(n) end },
      { "set_threshold", function(n) return model:set_threshold(n, 0.5) end },
      { "find", function(n) return all:find(image, n) end },
      { "pixels", function(n) return imgcls.pixels("a", n, 1, "grey8") end },
      { "pixels", function(n) return imgcls.pixels("a", 1, n, "grey8") end },
   }
   local numbers = { 2 ^ 32 + 1, 1 - 2 ^ 32, 2 ^ 31, -2 ^ 31, -2 ^ 31 - 1, 2 ^ 64 + 1, 2 ^ 80, -2 ^ 80, 2 ^ 63,
      -2 ^ 63, math.mininteger or -2 ^ 63, math.maxinteger or 2 ^ 63, math.huge, -math.huge, 0 / 0 }
   for _, call in ipairs(calls) do
      for _, number in ipairs(numbers) do
         local passed, problem = pcall(call[2], number)
         assert(not passed and tostring(problem):match("beyond"), call[1] .. " takes " .. number)
      end
      assert(not pcall(call[2], "many"))
   end
   assert(#report:curve("roc") > 1 and #all:find(image) == 5, "what may be left out")
   assert(report:class_value(0, "recall") == nil and set:item(61) == nil and report:class_value(2 ^ 31 - 1, "recall") == nil)
   for _, seed in ipairs { 2 ^ 32, 2 ^ 64 + 5, -1, math.maxinteger or 2 ^ 63, math.huge } do
      local passed, problem = pcall(imgcls.model, set, { network = "lenet5", seed = seed })
      assert(not passed and tostring(problem):match("seed"))
   end
end)

test("objects may be collected in any order", function()
   for _ = 1, 20 do
      local s = assert(imgcls.dataset(nil))
      s:add(picture(true, 1, 28), "a")
   end
   set, model = nil, nil
   collectgarbage()
   collectgarbage()
end)

-- Closing the state frees the context with its threads before the module is unloaded. LuaJIT and 5.1 close it by returning.
if failed > 0 then
   error(failed .. " tests failed")
end
