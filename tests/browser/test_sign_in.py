"""Signing in and out, with a browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.support.windows import Room, sign_in


def test_a_page_that_needs_somebody_is_where_signing_in_leads_and_signing_out_ends_that(visitor: Page, room: Room) -> None:
    visitor.goto(f"{room.app}/developer")
    expect(visitor).to_have_title("Sign in · Tidings")
    sign_in(visitor, room)
    expect(visitor).to_have_url(f"{room.url}{room.app}/developer")
    visitor.get_by_label("Your account").click()
    visitor.get_by_role("button", name="Sign out").click()
    expect(visitor).to_have_title("Sign in · Tidings")
    visitor.go_back()
    expect(visitor).to_have_title("Sign in · Tidings")


def test_all_can_be_reached_and_done_by_the_keyboard(page: Page, room: Room) -> None:
    page.goto(room.app)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("n")
    expect(page).to_have_url(f"{room.url}{room.app}/items/new")
    expect(page.get_by_label("Title")).to_be_focused()
    page.keyboard.type("Typed")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("status")).to_contain_text("The item has been added.")
