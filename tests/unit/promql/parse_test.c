#include "unit/unit.h"

#include "promql/promql.h"

TEST(placeholder)
{
    CHECK(1);
}
