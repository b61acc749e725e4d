#include "base/idmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { N_NODES = 5000 };

static struct hl_id_node nodes[N_NODES];

static struct hl_id id_of(uint32_t number)
{
    struct hl_id id = {{0}};

    memcpy(id.b, &number, sizeof(number));
    return id;
}

static size_t count_walk(const struct hl_id_map *map)
{
    size_t n_nodes = 0;

    for (struct hl_id_node *node = hl_id_map_walk(map, NULL); node != NULL;
         node = hl_id_map_walk(map, node))
        n_nodes++;
    return n_nodes;
}

static void test_finds_all_while_growing(void **state)
{
    struct hl_id_map map;

    (void)state;
    assert_int_equal(hl_id_map_init(&map, 99), 0);
    memset(nodes, 0, sizeof(nodes));
    for (uint32_t i = 0; i < N_NODES; i++) {
        nodes[i].id = id_of(i);
        hl_id_map_add(&map, &nodes[i]);
    }
    assert_int_equal(count_walk(&map), N_NODES);
    for (uint32_t i = 0; i < N_NODES; i++) {
        struct hl_id id = id_of(i);
        assert_ptr_equal(hl_id_map_find(&map, &id), &nodes[i]);
        assert_null(hl_id_map_next(&map, &nodes[i]));
    }
    struct hl_id other = id_of(N_NODES);
    assert_null(hl_id_map_find(&map, &other));
    for (uint32_t i = 0; i < N_NODES; i++) {
        hl_id_map_remove(&map, &nodes[i]);
        hl_id_map_remove(&map, &nodes[i]); /* accepts one in no map */
    }
    assert_int_equal(count_walk(&map), 0);
    hl_id_map_fini(&map);
}

static void test_several_of_one_id_keep_their_order(void **state)
{
    struct hl_id_map map;
    struct hl_id seven = id_of(7);
    size_t at = 0;

    (void)state;
    assert_int_equal(hl_id_map_init(&map, 1), 0);
    memset(nodes, 0, sizeof(nodes));
    for (uint32_t i = 0; i < 1000; i++) {
        nodes[i].id = i % 10 == 0 ? seven : id_of(1000 + i);
        hl_id_map_add(&map, &nodes[i]);
    }
    for (struct hl_id_node *node = hl_id_map_find(&map, &seven); node != NULL;
         node = hl_id_map_next(&map, node)) {
        assert_ptr_equal(node, &nodes[at]);
        at += 10;
    }
    assert_int_equal(at, 1000);
    for (uint32_t i = 0; i < 1000; i++)
        hl_id_map_remove(&map, &nodes[i]);
    hl_id_map_fini(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_all_while_growing),
        cmocka_unit_test(test_several_of_one_id_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
