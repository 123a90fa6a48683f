/* embed - turns files into a C table: embed assets|texts FILE... > table.c
 *
 * Runs at build time. The name of a row is the last part of the path. Assets
 * (serve/assets.h) have a media type, which follows from the ending; texts
 * (import/torch/host.h) have none.
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

int main(int argc, char **argv)
{
    bool assets = argc > 1 && strcmp(argv[1], "assets") == 0;

    if (!assets && (argc < 2 || strcmp(argv[1], "texts") != 0)) {
        fprintf(stderr, "usage: embed assets|texts FILE...\n");
        return 2;
    }
    printf("#include \"%s\"\n",
           assets ? "serve/assets.h" : "import/torch/host.h");
    for (int i = 2; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        int c, n = 0;
        if (!f) {
            perror(argv[i]);
            return 1;
        }
        printf("static const %s file%d[] = {",
               assets ? "unsigned char" : "char", i);
        while ((c = getc(f)) != EOF)
            printf("%s%d,", n++ % 24 ? "" : "\n", c);
        printf("0};\n");
        fclose(f);
    }
    printf("const struct %s[] = {\n",
           assets ? "asset assets" : "library_text library_texts");
    for (int i = 2; i < argc; i++) {
        printf("{\"%s\", ", base_of(argv[i]));
        if (assets)
            printf("\"%s\", ", type_of(argv[i]));
        printf("file%d, sizeof(file%d) - 1},\n", i, i);
    }
    printf("};\nconst size_t %s = %d;\n",
           assets ? "assets_count" : "library_text_count", argc - 2);
    return 0;
}
