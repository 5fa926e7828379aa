/* report/html_page.c: text with marks, and what every page begins with. SPDX-License-Identifier:
 * MIT */
#include "base/status.h"
#include "base/text.h"
#include "report/drawing.h"
#include "report/html.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/*
 * Colours: ink and dim on bg and card have a contrast of 4.5 and more in both schemes, and so has
 * ink on a cell whose shade is below 0.46. --i numbers the curves of a drawing: hues by the golden
 * angle, all equally light.
 */
static const char style[] =
    ":root{--bg:#faf9f6;--card:#fff;--ink:#1b2027;--dim:#565e68;--line:#d9dce1;--a:11 79 156;"
    "--b:178 60 28;--l:.5;--c:.14}"
    "@media screen and (prefers-color-scheme:dark){:root{--bg:#13161a;--card:#1b1f25;--ink:#e7e9ec;"
    "--dim:#a4acb6;--line:#353b44;--a:132 184 248;--b:245 152 116;--l:.78;--c:.12}}"
    "*{box-sizing:border-box}"
    "body{margin:0 auto;max-width:70rem;padding:1.5rem clamp(1rem,4vw,3rem) "
    "5rem;background:var(--bg);"
    "color:var(--ink);font:1rem/1.55 system-ui,sans-serif;"
    "overflow-wrap:anywhere}"
    "h1{font-size:clamp(1.5rem,5vw,2.25rem);line-height:1.2;margin:1rem 0 .5rem;text-wrap:balance}"
    "h2{font-size:1.35rem;margin:3.5rem 0 .5rem}h3{font-size:1.05rem;margin:1.5rem 0 .5rem}"
    "figure h3{margin:.5rem 0}"
    "p{max-width:44rem;margin:.5rem 0}.lead{font-size:1.15rem}"
    ".dim,small,caption,figcaption,.cards dt,th{color:var(--dim)}"
    "a{color:rgb(var(--a));text-underline-offset:.15em}"
    ":focus-visible{outline:3px solid rgb(var(--a));outline-offset:2px;border-radius:2px}"
    "main:focus,section:focus,h3:focus{outline:0}"
    ".skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem;padding:.5rem 1rem;"
    "background:var(--card)}"
    "nav ul,.key{display:flex;flex-wrap:wrap;gap:.3rem 1.25rem;margin:1rem 0;padding:0;"
    "list-style:none}nav a{display:inline-block;padding:.15rem 0}"
    ".cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,10.5rem),1fr));"
    "gap:.75rem;margin:1.5rem 0}"
    ".cards div,.box{background:var(--card);border:1px solid var(--line);border-radius:.6rem;"
    "padding:.8rem 1rem}"
    ".cards dt,small,caption,figcaption{font-size:.88rem}.cards dd{margin:0}"
    ".cards b{display:block;font-size:1.65rem;line-height:1.3;font-weight:600}"
    ".cards b,table{font-variant-numeric:tabular-nums}small{display:block;line-height:1.4}"
    ".scroll{overflow-x:auto;margin:1rem 0}"
    "table{border-collapse:collapse;font-size:.93rem;overflow-wrap:normal}caption{text-align:left;"
    "padding:0 0 .5rem}"
    "th,td{padding:.35rem .7rem;text-align:right;border-bottom:1px solid var(--line)}"
    "thead th{font-weight:600;vertical-align:bottom}tbody th{text-align:left;color:var(--ink);"
    "font-weight:400;max-width:16rem;overflow-wrap:break-word}thead th:first-child,.t td,.t "
    "th{text-align:left}"
    "td small{white-space:nowrap}"
    ".m td{text-align:center;padding:.35rem .3rem;min-width:2.4rem;border:1px solid var(--bg);"
    "background:rgb(var(--a)/var(--s,0))}.m .x{background:rgb(var(--b)/var(--s))}"
    ".m td a{color:inherit;display:block}"
    ".m thead th{text-align:center;padding:.35rem .3rem}.m thead span{writing-mode:vertical-rl;"
    "transform:rotate(180deg);max-height:9rem;overflow:hidden;text-overflow:ellipsis;"
    "white-space:nowrap}.m tbody th,.m thead "
    "td{position:sticky;z-index:1;left:0;background:var(--bg);max-width:9rem}"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,19rem),1fr));"
    "gap:1.5rem 2.5rem;margin:1rem 0}"
    "figure{margin:0}svg{display:block;width:100%;max-width:27rem}svg text{font-size:12px;"
    "fill:var(--dim)}svg .g{stroke:var(--line)}svg .q{fill:none;stroke:var(--dim);"
    "stroke-dasharray:4 4}"
    ".k{--k:oklch(var(--l) var(--c) calc(255 + var(--i)*137.5))}svg .k{fill:none;stroke:var(--k);"
    "stroke-width:2;stroke-linejoin:round}svg .o{fill:var(--k);stroke:none}svg .d{stroke-dasharray:"
    "6 3}.key{gap:.1rem 1.25rem;margin:.5rem 0;font-size:.88rem}.key .k::before{content:\"\";"
    "display:inline-block;width:1.4rem;margin-right:.4rem;vertical-align:middle;"
    "border-top:3px solid var(--k)}.key .d::before{border-top-style:dashed}"
    ".pics{display:grid;grid-template-columns:repeat(auto-fill,minmax(6.5rem,1fr));gap:1rem;"
    "margin:1rem 0}.pics img{display:block;width:100%;aspect-ratio:1;object-fit:contain;"
    "background:var(--line);border-radius:.3rem}.s{image-rendering:pixelated}"
    ".pics figcaption{line-height:1.35;margin-top:.3rem}.pics figcaption b{color:var(--ink)}"
    ".wide{grid-template-columns:repeat(auto-fill,minmax(min(100%,17rem),1fr));gap:1.5rem}"
    ".wide span{display:grid;grid-template-columns:1fr 1fr;gap:.4rem}"
    ".hide{display:none}.hide:target,#all:target .hide{display:block}"
    "pre{white-space:pre-wrap;font-size:.9rem;margin:.5rem 0}summary{cursor:pointer}"
    "footer{margin-top:4rem;border-top:1px solid var(--line);padding-top:1rem}"
    "@page{margin:15mm}@media "
    "print{body{max-width:none;padding:0;font-size:10pt}nav,.skip,.up{display:none}"
    "figure,.cards div,tr,.m{break-inside:avoid}h2,h3{break-after:avoid}.scroll{overflow:visible}"
    "td,svg,img{print-color-adjust:exact;-webkit-print-color-adjust:exact}}";

/* ---- Writing ---- */

static void append(ic_page *page, const char *text, size_t size)
{
    if (page->status >= 0)
        page->status = ic_buffer_append(&page->out, text, size);
}

static void append_text(ic_page *page, const char *text)
{
    append(page, text, strlen(text));
}

static void escape(ic_page *page, const char *text)
{
    for (size_t left = strlen(text), step; left > 0; text += step, left -= step) {
        step = ic_utf8_step(text, left);
        const unsigned char c = (unsigned char)*text;
        const char *instead = c == '<'                                            ? "&lt;"
                              : c == '>'                                          ? "&gt;"
                              : c == '&'                                          ? "&amp;"
                              : c == '"'                                          ? "&quot;"
                              : step == 0 || (c < 0x20 && c != '\n') || c == 0x7f ? "\xEF\xBF\xBD"
                                                                                  : NULL;
        if (instead != NULL)
            append_text(page, instead);
        else
            append(page, text, step);
        step = step > 0 ? step : 1;
    }
}

/* With all its digits, so that numbers stand in columns. */
static void put_number(ic_page *page, double value, int32_t digits)
{
    char text[IC_TEXT_FLOAT_MAX];
    int64_t scale = 1;
    for (int32_t i = 0; i < digits; i++)
        scale *= 10;
    if (!(fabs(value) < 1e12)) {
        append_text(page, "\xE2\x80\x93");
        return;
    }
    const int64_t whole = llround(fabs(value) * (double)scale);
    snprintf(text, sizeof text, "%s%lld.%0*lld", value < 0 && whole > 0 ? "\xE2\x88\x92" : "",
             (long long)(whole / scale), (int)digits, (long long)(whole % scale));
    append_text(page, text);
}

static void put_name(ic_page *page, const char *name)
{
    append_text(page, "<bdi>");
    escape(page, name);
    append_text(page, "</bdi>");
}

static void put_one(ic_page *page, char kind, va_list *arguments)
{
    char text[IC_TEXT_FLOAT_MAX];
    switch (kind) {
    case 's':
        escape(page, va_arg(*arguments, const char *));
        return;
    case 'n':
        put_name(page, va_arg(*arguments, const char *));
        return;
    case 'r':
        append_text(page, va_arg(*arguments, const char *));
        return;
    case 'd':
        append_text(page, ic_text_int(va_arg(*arguments, int), text));
        return;
    case 'l':
        append_text(page, ic_text_int(va_arg(*arguments, int64_t), text));
        return;
    case 'p':
        put_number(page, 100 * va_arg(*arguments, double), 1);
        return;
    case 'f':
        put_number(page, va_arg(*arguments, double), 3);
        return;
    case 'c':
        append_text(page, ic_text_float(va_arg(*arguments, double), 1, text));
        return;
    default:
        append(page, &kind, 1);
    }
}

void ic_page_put(ic_page *page, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    while (*format != '\0') {
        const size_t plain = strcspn(format, "%");
        append(page, format, plain);
        format += plain;
        if (*format == '\0')
            break;
        put_one(page, format[1], &arguments);
        format += 2;
    }
    va_end(arguments);
}

void ic_page_bytes(ic_page *page, const ic_buffer *bytes)
{
    if (page->status >= 0)
        page->status = ic_base64(&page->out, bytes->bytes, bytes->size);
}

const char *ic_page_class(const ic_page *page, int32_t index)
{
    return ic_model_class_name(page->report->model, index);
}

const char *ic_page_file(const ic_page *page, int64_t row)
{
    return ic_report_origin(page->report, row) + page->folder;
}

/* ---- The frame ---- */

void ic_page_section(ic_page *page, const char *id, const char *title)
{
    ic_page_put(page, "<section id=\"%r\"><h2>%r</h2>\n", id, title);
    if (page->status >= 0)
        page->status =
            ic_buffer_print(&page->contents, "<li><a href=\"#%s\">%s</a></li>\n", id, title);
}

ic_status ic_page_finish(ic_page *page, const char *title, ic_buffer *out)
{
    ic_buffer body = page->out;
    page->out = (ic_buffer){.context = page->context};
    if (page->status >= 0)
        page->status = ic_buffer_append(&page->contents, "", 1);
    if (page->status >= 0)
        page->status = ic_buffer_append(&body, "", 1);
    if (page->status >= 0)
        ic_page_put(
            page,
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
            "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
            "<meta name=\"color-scheme\" content=\"light dark\">"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';img-src "
            "data:;style-src 'unsafe-inline'\"><title>%s</title>\n<style>%r</style></head>\n"
            "<body><a class=\"skip\" href=\"#main\">Skip to the figures</a>\n"
            "<header><h1>%s</h1>\n<nav aria-label=\"Contents\"><ul>\n%r</ul></nav></header>\n"
            "<main id=\"main\" tabindex=\"-1\">\n%r</main>\n<footer><p class=\"dim\">Made by "
            "imgcls "
            "%r. The page needs nothing else, and sends nothing anywhere.</p></footer></body>"
            "</html>\n",
            title, style, title, (const char *)page->contents.bytes, (const char *)body.bytes,
            ic_version());
    ic_buffer_free(&body);
    *out = page->out;
    page->out = (ic_buffer){.context = page->context};
    return page->status;
}
