from headrace.errors import BadData, JobInvalid, Problem, RunFailed


def test_a_problem_says_where_what_and_what_would_do() -> None:
    whole = Problem("c", "no column 'nam'", "did you mean 'name'?", 7, "Filters", "list[0].name")
    assert str(whole) == "node 'Filters' (7), list[0].name: no column 'nam'; did you mean 'name'?"
    assert str(Problem("c", "it is wrong")) == "job: it is wrong"
    assert str(Problem("c", "it is wrong", field="name")) == "job, name: it is wrong"


def test_a_problem_as_json_leaves_out_what_is_empty() -> None:
    assert Problem("c", "m", node_id=0).as_dict() == {"code": "c", "message": "m", "nodeId": 0}


def test_a_failure_names_its_node() -> None:
    assert str(BadData("bad", hint="mend it", node_id=3, node="s")) == "node 's' (3): bad; mend it"
    assert str(RunFailed("bad")) == "bad"


def test_an_invalid_job_lists_all_its_problems() -> None:
    assert str(JobInvalid([Problem("a", "one"), Problem("b", "two")])) == "job: one\njob: two"
