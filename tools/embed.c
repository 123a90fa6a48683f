/* embed - turns files into a C table: embed assets|messages|rules|templates|texts FILE...
 * >
 * table.c
 *
 * Runs at build time. The name of a row is the last part of the path. Assets
 * (serve/assets.h) have a media type, which follows from the ending; texts
 * (import/torch/host.h) and rules (alert/built_in.h) have none.
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
    const char *word, *header, *byte, *table, *count;
    bool typed;
} kinds[] = {
    {"assets", "serve/assets.h", "unsigned char", "asset assets",
     "assets_count", true},
    {"templates", "export/export.h", "char", "export_template export_templates",
     "n_export_templates", false},
    {"messages", "notify/messages.h", "char",
     "built_in_messages built_in_messages", "built_in_messages_count", false},
    {"rules", "alert/built_in.h", "char", "built_in_rules built_in_rules",
     "built_in_rules_count", false},
    {"texts", "import/torch/host.h", "char", "library_text library_texts",
     "library_text_count", false},
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
        fprintf(stderr, "usage: embed assets|messages|rules|templates|texts FILE...\n");
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
        printf("static const %s file%d[] = {", k->byte, i);
        while ((c = getc(f)) != EOF)
            printf("%s%d,", n++ % 24 ? "" : "\n",
                   k->typed ? c : (signed char)c);
        printf("0};\n");
        fclose(f);
    }
    printf("const struct %s[] = {\n", k->table);
    for (int i = 2; i < argc; i++) {
        printf("{\"%s\", ", base_of(argv[i]));
        if (k->typed)
            printf("\"%s\", ", type_of(argv[i]));
        printf("file%d, sizeof(file%d) - 1},\n", i, i);
    }
    printf("};\nconst size_t %s = %d;\n", k->count, argc - 2);
    return 0;
}
