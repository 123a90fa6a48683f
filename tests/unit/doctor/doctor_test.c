/* The catalogue of checks; what checks find is in tests/system/test_doctor.py.
 */
#include "unit/unit.h"

#include "doctor/texts.h"

TEST(texts_have_the_same_conversions_in_both_languages)
{
    for (int i = 0; i < DOCTOR_TEXTS; i++) {
        const char *text = doctor_text_in(LANGUAGE_EN, (enum doctor_text)i);
        ROW("%s", text);
        CHECK(unit_same_conversions(
            text, doctor_text_in(LANGUAGE_ZH, (enum doctor_text)i)));
    }
}

TEST(checks_are_named_once_and_explain_themselves)
{
    for (size_t i = 0; i < doctor_n_checks; i++) {
        const struct check_facts *c = &doctor_checks[i];
        ROW("%s", c->name);
        for (size_t k = 0; k < i; k++) {
            CHECK(strcmp(doctor_checks[k].id, c->id) != 0);
            CHECK(strcmp(doctor_checks[k].name, c->name) != 0);
        }
        for (int l = 0; l < LANGUAGES; l++)
            CHECK(*c->title[l] && *c->why[l]);
    }
}
