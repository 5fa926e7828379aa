/* report/font.c: the letters of plots as strokes. SPDX-License-Identifier: MIT */
#include "report/font.h"

/* clang-format off */
static const ic_glyph glyphs[95] = {
    {2, ""},                          /* space */
    {0, "0005 0707"},                 /* ! */
    {2, "0002 2022"},                 /* " */
    {4, "1017 3037 0242 0545"},       /* # */
    {4, "413010010213334446371706 2027"},
    {4, "4007 0010110100 3646473736"},
    {4, "470201102031050617274544"},
    {0, "0002"},                      /* ' */
    {2, "20020527"},
    {2, "00222507"},
    {4, "2125 0244 4204"},
    {4, "2226 0444"},                 /* + */
    {1, "1708"},
    {3, "0434"},                      /* - */
    {0, "0707"},
    {4, "4007"},                      /* slash */
    {4, "103041463717060110"},        /* 0 */
    {4, "022027 0747"},
    {4, "0110304143 430747"},
    {4, "011030414233133344463717 1706"},
    {4, "37300545"},
    {4, "4000033344463717 1706"},
    {4, "413010010617374644331304"},
    {4, "004017"},
    {4, "103041423313020110 13040617374644 4433"},
    {4, "433414030110304146371706"},  /* 9 */
    {0, "0303 0707"},
    {1, "1303 1708"},
    {4, "410447"},                    /* < */
    {4, "0343 0545"},
    {4, "014407"},
    {4, "01103041422425 2727"},       /* ? */
    {4, "353212030515354542301001 0617 1747"},
    {4, "072047 1535"},               /* A */
    {4, "00073746443303 3342413000"},
    {4, "4130100106173746"},
    {4, "00072745422000"},
    {4, "40000747 0333"},
    {4, "400007 0333"},
    {4, "41301001061737464424"},
    {4, "0007 4047 0343"},
    {2, "0020 1017 0727"},            /* I */
    {4, "4046371706"},
    {4, "0007 4004 1347"},
    {4, "000747"},
    {6, "0700346067"},
    {4, "07004740"},
    {5, "104051564717060110"},        /* O */
    {4, "07003041433404"},
    {5, "104051564717060110 3558"},
    {4, "07003041433404 2447"},
    {4, "413010010213334446371706"},
    {4, "0040 2027"},
    {4, "000617374640"},
    {4, "002740"},
    {6, "0017325760"},
    {4, "0047 4007"},
    {4, "002340 2327"},
    {4, "00400747"},                  /* Z */
    {2, "20000727"},
    {4, "0047"},
    {2, "00202707"},
    {4, "022042"},
    {4, "0848"},
    {1, "0012"},
    {4, "12324347 4414050617374644"}, /* a */
    {4, "0007 0312324346371706"},
    {4, "4332120306173746"},
    {4, "4047 4332120306173746"},
    {4, "05454332120306173746"},
    {3, "30201117 0232"},
    {4, "4248391908 4332120306173746"},
    {4, "0007 0312324347"},
    {0, "0207 0000"},                 /* i */
    {2, "22281909 2020"},
    {3, "0007 3205 1437"},
    {1, "000617"},
    {6, "0207 0312223337 3342526367"},
    {4, "0207 0312324347"},
    {4, "123243463717060312"},        /* o */
    {4, "0209 0312324346371706"},
    {4, "4249 4332120306173746"},
    {3, "0207 031232"},
    {4, "43321203143546371706"},
    {3, "10162737 0232"},
    {4, "0206173746 4247"},
    {4, "022742"},
    {6, "0217335762"},
    {4, "0247 4207"},
    {4, "0227 421809"},
    {4, "02420747"},                  /* z */
    {2, "20101304151727"},
    {0, "0008"},
    {2, "00101324151707"},
    {4, "04133443"},
};
/* clang-format on */

static const ic_glyph box = {4, "0040470700"};

/* The base letters of U+00C0..U+017F: accents are too fine for strokes of this size. */
static const char base_letters[] =
    "AAAAAAACEEEEIIIIDNOOOOOxOUUUUYTsaaaaaaaceeeeiiiidnooooo/ouuuuyty"
    "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlL"
    "lLlNnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";

/* The next character of UTF-8 text; a stray byte counts as one. */
static uint32_t next_character(const char **text)
{
    unsigned char first = (unsigned char)*(*text)++;
    uint32_t code = first < 0xC0 ? first : first < 0xE0 ? first & 31 : first & 15;
    for (; ((unsigned char)**text & 0xC0) == 0x80; (*text)++)
        code = code << 6 | ((unsigned char)**text & 63);
    return code;
}

/* Skips combining marks, U+0300..U+036F: some systems write file names as letter and mark. */
static void skip_marks(const char **text)
{
    for (;;) {
        const char *next = *text;
        uint32_t code = *next != '\0' ? next_character(&next) : 0;
        if (code < 0x300 || code > 0x36F)
            return;
        *text = next;
    }
}

const ic_glyph *ic_font_next(const char **text)
{
    uint32_t code = next_character(text);
    skip_marks(text);
    if (code >= 0xC0 && code < 0xC0 + sizeof base_letters - 1)
        code = (unsigned char)base_letters[code - 0xC0];
    if (code == 0xA0) /* a space that does not break */
        code = ' ';
    return code >= ' ' && code < 0x7F ? &glyphs[code - ' '] : &box;
}
