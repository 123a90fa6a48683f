/* embed-texts - turns source texts into a C table: embed-texts FILE... >
 * library.c
 *
 * Runs at build time.
 */
#include <stdio.h>
#include <string.h>

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int main(int argc, char **argv)
{
    printf("#include \"import/torch/host.h\"\n");
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        int c, n = 0;
        if (!f) {
            perror(argv[i]);
            return 1;
        }
        printf("static const char text%d[] = {", i);
        while ((c = getc(f)) != EOF)
            printf("%s%d,", n++ % 24 ? "" : "\n", c);
        printf("0};\n");
        fclose(f);
    }
    printf("const struct library_text library_texts[] = {\n");
    for (int i = 1; i < argc; i++)
        printf("{\"%s\", text%d, sizeof(text%d) - 1},\n", base_of(argv[i]), i,
               i);
    printf("};\nconst size_t library_text_count = %d;\n", argc - 1);
    return 0;
}
