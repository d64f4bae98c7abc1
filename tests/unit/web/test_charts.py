"""Charts: the numbers that a template draws."""

import pytest

from oncue.web.charts import Series, Slot, rounded_up, stacked

PARTS = (Series("Delivered", "good"), Series("Failed", "bad"))


def slots(*pairs: tuple[int, int]) -> list[Slot]:
    return [Slot(f"slot {number}", str(number), pair) for number, pair in enumerate(pairs)]


@pytest.mark.parametrize(
    ("most", "top"), [(0, 2), (1, 2), (2, 2), (3, 4), (5, 10), (10, 10), (11, 20), (41, 50), (99, 100), (1234, 2000)]
)
def test_the_scale_ends_at_a_round_even_number_that_holds_the_highest_bar(most, top):
    assert rounded_up(most) == top


def test_pieces_stand_on_one_another_and_fill_their_share_of_the_height():
    chart = stacked("Messages", PARTS, slots((30, 20), (0, 0)))
    first, second = chart.bars
    assert chart.top == 50
    assert [(piece.tone, piece.y, piece.height) for piece in first.pieces] == [("good", 40, 60), ("bad", 0, 40)]
    assert second.pieces == ()


def test_bars_stand_side_by_side():
    chart = stacked("Messages", PARTS, slots((1, 0), (1, 0), (1, 0)))
    edges = [(piece.x, piece.x + piece.width) for bar in chart.bars for piece in bar.pieces]
    assert chart.width == 30
    assert all(10 * number < left < right < 10 * (number + 1) for number, (left, right) in enumerate(edges))


def test_what_is_drawn_is_also_said():
    chart = stacked("Messages by hour", PARTS, slots((1200, 0), (34, 5)))
    assert chart.sentence == "Messages by hour: 1,234 delivered, 5 failed."
    assert [bar.title for bar in chart.bars] == ["slot 0: 1,200 delivered", "slot 1: 34 delivered, 5 failed"]


def test_nothing_is_said_of_a_slot_in_which_nothing_was():
    chart = stacked("Messages", PARTS, slots((0, 0)))
    assert chart.is_empty and chart.bars[0].title == "slot 0: none"


@pytest.mark.parametrize(("count", "every"), [(24, 3), (7, 1), (30, 5)])
def test_labels_are_few_enough_and_stand_under_the_bars_they_name(count, every):
    chart = stacked("Messages", PARTS, slots(*[(1, 0)] * count))
    assert chart.ticks == tuple(str(number) for number in range(0, count, every))
    assert len(chart.ticks) <= 8 and count % len(chart.ticks) == 0
