"""What a page does beyond its HTML: lines that grow, inputs that fit a field's type, notices that are said once, menus."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.support.windows import Room


def test_a_field_of_several_values_has_a_line_more_as_soon_as_the_last_is_filled(page: Page, room: Room) -> None:
    page.goto(f"{room.app}/items/new")
    owner = f"f{room.fields['owner']}"
    page.get_by_label("Title").fill("Owned")
    page.locator(f"[name='{owner}.0.value']").select_option(label="Demo")
    second = page.locator(f"[name='{owner}.1.value']")
    expect(second).to_have_value("")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(f"[name='{owner}.0.value']")).to_have_value("1")
    expect(page.locator(f"[name='{owner}.1.value']")).to_have_value("")


def test_a_new_field_is_asked_for_what_its_type_needs(page: Page, room: Room) -> None:
    page.goto(f"{room.app}/fields")
    page.get_by_text("Add a field").click()
    expect(page.get_by_label("Label")).to_be_focused()
    expect(page.get_by_label("Options")).to_be_hidden()
    page.get_by_label("Type").select_option("category")
    expect(page.get_by_label("Options")).to_be_visible()
    expect(page.get_by_label("Currencies")).to_be_hidden()


def test_a_notice_is_said_once(page: Page, room: Room) -> None:
    page.goto("/console?done=org-made")
    expect(page.get_by_role("status")).to_contain_text("The organization is there.")
    expect(page).to_have_url(f"{room.url}/console")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("status")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("status")).to_have_count(0)


def test_what_opens_closes_by_escape_and_the_focus_goes_back(page: Page) -> None:
    page.goto("/console")
    account = page.get_by_label("Your account")
    account.click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(account).to_be_focused()
