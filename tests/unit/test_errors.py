from headrace.errors import BadData, JobInvalid, Problem, RunFailed


def test_a_problem_says_where_what_and_what_would_do() -> None:
    whole = Problem("c", "no column 'nam'", "did you mean 'name'?", 7, "Filters", "list[0].name")
    assert str(whole) == "node 'Filters' (7), list[0].name: no column 'nam'; did you mean 'name'?"
    assert str(Problem("c", "it is wrong")) == "job: it is wrong"
    assert str(Problem("c", "it is wrong", field="name")) == "job, name: it is wrong"


def test_a_problem_outside_of_nodes_is_told_without_a_name_for_the_whole_where_there_is_none() -> None:
    assert Problem("c", "it is wrong", field="limit").told("") == "limit: it is wrong"
    assert Problem("c", "it is wrong").told("") == "it is wrong"
    assert str(Problem("c", "it is wrong", node_id=7)) == "node 7: it is wrong"


def test_a_text_that_quotes_too_much_is_cut_in_its_middle() -> None:
    problem = Problem("c", f"begin {'x' * 10_000} end", field="y" * 2_000)
    assert (len(problem.message), len(problem.field)) == (1_001, 1_001)
    assert (problem.message[:6], problem.message[-4:]) == ("begin ", " end")


def test_a_problem_as_json_leaves_out_what_is_empty() -> None:
    assert Problem("c", "m", node_id=0).as_dict() == {"code": "c", "message": "m", "nodeId": 0}


def test_a_failure_names_its_node() -> None:
    assert str(BadData("bad", hint="mend it", node_id=3, node="s")) == "node 's' (3): bad; mend it"
    assert str(RunFailed("bad")) == "bad"


def test_an_invalid_job_lists_all_its_problems() -> None:
    assert str(JobInvalid([Problem("a", "one"), Problem("b", "two")])) == "job: one\njob: two"
