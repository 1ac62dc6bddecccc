from vrsdk.runtime.lore import Lore


def test_the_fact_that_shares_the_rare_word_comes_first() -> None:
    lore = Lore(["The ferry costs one crown.", "The ferry leaves at noon.", "Wolves fear fire."])
    assert lore.match("what scares the wolves?")[0] == "Wolves fear fire."


def test_chinese_is_matched_by_pairs_of_characters() -> None:
    lore = Lore(["平安符一道十五文。", "洗心泉的水可以喝。", "大徒弟守静管账。"])
    assert lore.match("我想求一道平安符") == ["平安符一道十五文。"]


def test_nothing_is_recalled_for_a_line_that_shares_nothing() -> None:
    assert Lore(["Wolves fear fire."]).match("how much is breakfast") == []


def test_at_most_the_limit_is_recalled_of_500_facts() -> None:
    lore = Lore([f"The tower number {i} is tall." for i in range(500)])
    assert len(lore.match("which tower is tall", limit=3)) == 3
    assert lore.match("tell me of tower 499")[0] == "The tower number 499 is tall."


def test_an_empty_lore_matches_nothing() -> None:
    assert Lore([]).match("anything") == []
