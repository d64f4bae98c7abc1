"""Values as templates show them."""

from oncue.web.templatetags.shown import pairs


def test_a_property_named_items_hides_no_other():
    """In a Django template `properties.items` is the value named `items`, where there is one: a shop's events have it."""
    order = {"total": 40, "items": [{"sku": "A-1"}]}
    assert pairs(order) == [("total", 40), ("items", [{"sku": "A-1"}])]
