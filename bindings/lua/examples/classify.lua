-- Trains on a folder of pictures, measures, saves and names one picture: lua classify.lua FOLDER PICTURE
local imgcls = require "imgcls"
local folder, picture = arg[1], arg[2]

local all = assert(imgcls.dataset(folder))
local train, validation = assert(all:split())
local model = assert(imgcls.model(train))
local trainer = assert(imgcls.trainer(model, train, validation))
assert(trainer:run(function(event)
   if event.epoch_done then
      print(("epoch %d: %.1f %% of unseen pictures"):format(event.epoch, 100 * event.validation_accuracy))
   end
end))
local report = assert(model:evaluate(all))
print(("accuracy %.2f %% (%s)"):format(100 * report:value("accuracy"), report:split()))
assert(model:save("photos.safetensors"))
local class, probability = assert(model:predict(picture))
print(("%s (%.1f %%)"):format(class, 100 * probability))
