/* embed - turns files into a C table: embed KIND FILE... > table.c
 *
 * Runs at build time. The name of a row is the last part of the path. Pages
 * (http/assets.h) have a media type, which follows from the ending; the others
 * are texts (base/embedded.h).
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *type_of(const char *name)
{
    const char *dot = strrchr(name, '.');

    if (dot && strcmp(dot, ".html") == 0)
        return "text/html; charset=utf-8";
    if (dot && strcmp(dot, ".css") == 0)
        return "text/css; charset=utf-8";
    if (dot && strcmp(dot, ".js") == 0)
        return "text/javascript; charset=utf-8";
    return "application/octet-stream";
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static const struct kind {
    const char *word, *header, *table;
    bool assets;
} kinds[] = {
    {"compat", "compat/table.h", "compat_texts", false},
    {"console", "web/console.h", "console_assets", true},
    {"docs", "serve/docs.h", "docs_assets", true},
    {"messages", "notify/messages.h", "built_in_messages", false},
    {"rules", "alert/built_in.h", "built_in_rules", false},
    {"templates", "export/export.h", "export_templates", false},
    {"texts", "import/torch/host.h", "library_texts", false},
};

static const struct kind *kind_of(const char *word)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].word, word) == 0)
            return &kinds[i];
    return NULL;
}

int main(int argc, char **argv)
{
    const struct kind *k = argc > 1 ? kind_of(argv[1]) : NULL;

    if (!k) {
        fprintf(stderr, "usage: embed KIND FILE... (kinds: tools/embed.c)\n");
        return 2;
    }
    printf("#include \"%s\"\n", k->header);
    for (int i = 2; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        int c, n = 0;
        if (!f) {
            perror(argv[i]);
            return 1;
        }
        printf("static const %s file%d[] = {",
               k->assets ? "unsigned char" : "char", i);
        while ((c = getc(f)) != EOF)
            printf("%s%d,", n++ % 24 ? "" : "\n",
                   k->assets ? c : (signed char)c);
        printf("0};\n");
        fclose(f);
    }
    printf("static const struct %s all[] = {\n",
           k->assets ? "asset" : "embedded_text");
    for (int i = 2; i < argc; i++) {
        printf("{\"%s\", ", base_of(argv[i]));
        if (k->assets)
            printf("\"%s\", ", type_of(argv[i]));
        printf("file%d, sizeof(file%d) - 1},\n", i, i);
    }
    printf("};\nconst struct %s %s = {all, %d};\n",
           k->assets ? "assets" : "embedded_texts", k->table, argc - 2);
    return 0;
}
