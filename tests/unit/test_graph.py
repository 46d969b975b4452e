import pytest

from headrace.errors import JobInvalid
from headrace.graph import Graph
from headrace.plan.ops import Project, Write
from tests.support.jobs import Json, faults, fields, graph, node, plan, problems, source, target, warnings


def select(node_id: int, *parents: int) -> Json:
    return node("TRANSFORM_SELECT", node_id, parents, fieldList=fields("id bigint"))


def test_nodes_that_share_an_id_are_told_and_nothing_is_guessed_from_them() -> None:
    assert problems(source(), source(), select(2, 1), target("id bigint", parents=(2,))) == [
        "node 'node 1' (1), id: 2 nodes have the id 1; give each its own",
        "node 'node 1' (1), id: 2 nodes have the id 1; give each its own",
    ]


def test_a_parent_that_is_not_there_is_told_with_the_near_ids() -> None:
    first, last = source(node_id=1697770000001), target(parents=(1697770000002,))
    assert problems(first, last) == [
        "node 'node 9' (9), parentNodeIds: there is no node 1697770000002; did you mean '1697770000001'?"
    ]


def test_every_node_of_a_circle_is_told_and_none_that_only_follows_it() -> None:
    assert faults(source(), select(2, 4), select(3, 2), select(4, 3), target("id bigint", parents=(4,))) == [
        (2, "parentNodeIds", "cycle"),
        (3, "parentNodeIds", "cycle"),
        (4, "parentNodeIds", "cycle"),
    ]


def test_a_node_is_not_its_own_parent() -> None:
    assert problems(source(), select(2, 2), target()) == [
        "node 'node 2' (2), parentNodeIds: this node is its own parent; break the circle"
    ]


@pytest.mark.parametrize(
    ("nodes", "told"),
    [
        (
            [source(parentNodeIds=[2]), select(2, 1), target("id bigint", parents=(2,))],
            ["node 'node 1' (1), parentNodeIds: a source has no parents, and this one has 1"] * 1,
        ),
        (
            [source(), target(parents=())],
            ["node 'node 9' (9), parentNodeIds: TARGET_OBS has 1 parent, and this one has 0"],
        ),
        (
            [source(), target(), select(3, 9)],
            [
                "node 'node 3' (3), parentNodeIds: node 9 ('node 9') is a target, which gives no rows; "
                "read from the node before it"
            ],
        ),
        (
            [source(), node("TRANSFORM_UNION", 3, (1,), unionType="ALL"), target(parents=(3,))],
            ["node 'node 3' (3), parentNodeIds: TRANSFORM_UNION has at least 2 parents, and this one has 1"],
        ),
        (
            [source(), node("TRANSFORM_UNION", 3, (1, 1), unionType="ALL"), target(parents=(3,))],
            ["node 'node 3' (3), parentNodeIds: a parent is named twice; name each parent once"],
        ),
        ([source(), select(2, 1)], ["job, nodes: the job has no target; add a node that writes"]),
        ([], ["job, nodes: the job has no nodes; begin with a source and a target"]),
    ],
)
def test_each_node_has_the_parents_of_its_kind(nodes: list[Json], told: list[str]) -> None:
    assert [text for text in problems(*nodes) if "circle" not in text] == told


def test_a_join_of_one_parent_is_told() -> None:
    joined = node(
        "TRANSFORM_JOIN", 3, (1,), joinType="INNER", leftNodeId=1, rightNodeId=1,
        joinConditionList=[{"leftField": "id", "joinOperator": "EQ", "rightField": "id", "conditionOperator": "HEAD"}],
    )  # fmt: skip
    assert problems(source(), joined, target(parents=(3,))) == [
        "node 'node 3' (3), parentNodeIds: TRANSFORM_JOIN has 2 parents, and this one has 1"
    ]


def test_all_that_is_wrong_is_told_at_once() -> None:
    nodes = [
        5,
        {"type": "SOURCE_OSB", "id": 4},
        source(columns="id bigint"),
        node("TRANSFORM_FILTER", 2, (1,), filterType="AND", filterConditionList=[
            {"name": "ib", "operator": "EQ", "value": "1"},
        ]),
        target(parents=(1, 7), bucketName="X"),
        target("idd bigint", node_id=10, bucketName="Lake"),
    ]  # fmt: skip
    assert faults(*nodes) == [
        (None, "nodes[0]", "bad-node"),
        (4, "type", "unknown-node-type"),
        (9, "parentNodeIds", "wrong-parents"),
        (2, "filterConditionList[0].name", "unknown-column"),
        (10, "fieldList[0].name", "unknown-column"),
    ]
    with pytest.raises(JobInvalid) as caught:
        graph(*nodes).plan()
    assert caught.value.problems == graph(*nodes).problems


def test_an_unknown_node_type_is_told_with_the_near_ones() -> None:
    assert problems({**source(), "type": "SOURCE_OSB"}, target())[0].startswith(
        "node 'node 1' (1), type: 'SOURCE_OSB' is not a node type; did you mean 'SOURCE_OBS'"
    )
    missing = problems({"id": 1, "name": "a"})[0]
    assert missing.startswith("node 'a' (1), type: has no type; there is SOURCE_")


def test_an_object_without_a_sound_id_is_told_by_its_place_in_the_list() -> None:
    assert problems(source(), {**select(2, 1), "id": "2"}, target())[0] == (
        "job, nodes[1].id: should be a whole number, not the text '2'"
    )
    assert problems([], None, True, 1.5, "x") == [
        "job, nodes[0]: should be an object, not an empty list",
        "job, nodes[1]: should be an object, not null",
        "job, nodes[2]: should be an object, not the boolean true",
        "job, nodes[3]: should be an object, not the number 1.5",
        "job, nodes[4]: should be an object, not the text 'x'",
    ]


def test_a_list_is_called_a_list() -> None:
    assert problems({**source(), "fieldList": {"id": "int"}}, target())[0] == (
        "node 'node 1' (1), fieldList: should be a list, not an object"
    )


def test_a_field_that_nobody_knows_is_kept_and_warned_about() -> None:
    out = target("id bigint, name string", updatType="x")
    where = node("TRANSFORM_FILTER", 2, (1,), filterType="AND", filterConditionList=[
        {"name": "id", "operator": "EQ", "value": "1", "opreator": "2"}
    ])  # fmt: skip
    assert warnings(source(), where, {**out, "parentNodeIds": [2]}) == [
        "node 'node 2' (2), filterConditionList[0].opreator: is not a field that we know; "
        "it is kept and has no effect; did you mean 'operator'?",
        "node 'node 9' (9), updatType: is not a field that we know; it is kept and has no effect; "
        "did you mean 'updateType' or 'dataType' or 'type'?",
    ]


def test_a_node_that_nothing_reads_is_warned_about_and_does_not_run() -> None:
    nodes = (source(), select(2, 1), target())
    assert warnings(*nodes) == ["node 'node 2' (2): nothing reads this node; connect it to a target, or remove it"]
    assert [op.node_id for op in plan(*nodes).pruned] == [9]


@pytest.mark.parametrize(
    ("read", "written", "warned"),
    [("a", "a", True), ("a/b", "a", True), ("a", "a/b", False), ("a10", "a1", False), ("a/", "a", True)],
)
def test_a_target_that_a_source_reads_too_is_warned_about(read: str, written: str, warned: bool) -> None:
    told = warnings(source(prefix=read), target(prefix=written))
    message = (
        f"node 'node 9' (9), prefix: lake/{written} is also read by node 'node 1': "
        "a second run reads what the first wrote"
    )
    assert told == ([message] if warned else [])


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [("a", "a", True), ("a", "a/b", True), ("a/b", "a", True), ("a", "a10", False), ("a/b", "a/c", False)],
)
def test_two_targets_do_not_overlap(one: str, other: str, overlap: bool) -> None:
    found = problems(source(), target(prefix=one, node_id=8), target(prefix=other))
    assert found == (
        [
            f"node 'node 9' (9), prefix: lake/{other} and lake/{one} of node 'node 8' (8) overlap; "
            "give each target a prefix of its own"
        ]
        if overlap
        else []
    )


def test_targets_of_two_buckets_do_not_overlap() -> None:
    assert problems(source(), target(node_id=8, bucketName="other"), target()) == []


def test_a_node_behind_a_wrong_one_is_not_blamed_for_it() -> None:
    wrong = node("TRANSFORM_SELECT", 2, (1,), fieldList=fields("nope int"))
    assert faults(source(), wrong, target("anything int", parents=(2,))) == [(2, "fieldList[0].name", "unknown-column")]


def test_a_plan_has_the_targets_and_the_meaning_of_every_node_in_any_order() -> None:
    made = plan(target("id bigint", parents=(2,)), select(2, 1), source())
    assert set(made.by_node) == {1, 2, 9}
    (write,) = made.sinks
    assert isinstance(write, Write)
    assert isinstance(write.parent, Project)
    assert write.parent.parent is made.by_node[2]


def test_an_empty_graph_is_a_value() -> None:
    assert Graph.of([]) == Graph(())


def test_rows_go_through_at_most_a_hundred_nodes() -> None:
    def chain(last: int) -> list[Json]:
        steps = [select(1_000 + i, 999 + i if i > 1 else 1) for i in range(1, last + 1)]
        return [source(), *steps, target("id bigint", parents=(1_000 + last,))]

    assert problems(*chain(99)) == []
    assert faults(*chain(100)) == [(9, "parentNodeIds", "too-deep")]


def test_of_very_many_problems_the_first_are_told_and_that_there_are_more() -> None:
    told = Graph.of([{} for _ in range(2_000)]).problems
    assert len(told) == 1_001
    assert told[-1].code == "too-many-problems"


def test_a_node_with_lists_beyond_all_measure_is_not_looked_into() -> None:
    assert faults(source(fieldList=[{}] * 50_001), target()) == [(1, "", "too-many-entries")]
