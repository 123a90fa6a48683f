/* embed - turns files into a C array: embed FILE... > assets.c
 *
 * Runs at build time. The name is the last part of the path, the type follows
 * from its ending.
 */
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
    printf("#include \"serve/assets.h\"\n");
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        int c, n = 0;
        if (!f) {
            perror(argv[i]);
            return 1;
        }
        printf("static const unsigned char file%d[] = {", i);
        while ((c = getc(f)) != EOF)
            printf("%s%d,", n++ % 24 ? "" : "\n", c);
        printf("0};\n");
        fclose(f);
    }
    printf("const struct asset assets[] = {\n");
    for (int i = 1; i < argc; i++)
        printf("{\"%s\", \"%s\", file%d, sizeof(file%d) - 1},\n",
               base_of(argv[i]), type_of(argv[i]), i, i);
    printf("};\nconst size_t assets_count = %d;\n", argc - 1);
    return 0;
}
