"""The console in a real browser, used the way a person does: by what the screen and a screen reader call things."""

from pathlib import Path
from urllib.parse import quote

from playwright.async_api import ConsoleMessage, Error, Locator, Page, expect

ARTEFACTS = Path(__file__).parent.parent.parent / "test-artefacts" / "console"


class OperatorConsole:
    """One person at one browser. `troubles` collects what a browser's console would show in red."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.troubles: list[str] = []
        page.on("pageerror", self._on_page_error)
        page.on("console", self._on_console)

    def _on_page_error(self, error: Error) -> None:
        self.troubles.append(str(error))

    def _on_console(self, message: ConsoleMessage) -> None:
        # A refusal by the server is logged by the browser itself, and is what some tests are about.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.troubles.append(message.text)

    async def sign_in(self, name: str) -> "OperatorConsole":
        """By the list of sample users."""
        await self.page.goto(self.address)
        await self.page.get_by_role("button", name=name).click()
        await expect(self.page.get_by_role("button", name=f"Account: {name}")).to_be_visible()
        return self

    async def open(self, instance: str, tab: str = "variables") -> None:
        await self.page.goto(f"{self.address}/w/demo/instances/{quote(instance)}/{tab}")
        await expect(self.page.get_by_role("tab", selected=True)).to_be_visible()

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    @property
    def editor(self) -> Locator:
        """The text of the editor that is being written in."""
        return self.page.get_by_role("textbox", name="Variables as JSON")

    def line(self, text: str) -> Locator:
        """A line of an editor in view."""
        return self.page.locator(".view-line").filter(has_text=text).first

    async def edit(self) -> None:
        """From the Variables tab into its edit mode."""
        await self.button("Modify variables").click()
        await self.editor_is_ready()

    async def editor_is_ready(self) -> None:
        await expect(self.editor).to_be_focused()
        await expect(self.page.get_by_text("No changes yet.")).to_be_visible()

    async def replace(self, old: str, new: str) -> None:
        """Finds the first `old` with the editor's own search, and types over it."""
        keyboard = self.page.keyboard
        await self.editor.focus()
        await keyboard.press("Control+Home")
        await keyboard.press("Control+f")
        find = self.page.get_by_role("textbox", name="Find", exact=True)
        await expect(find).to_be_focused()
        await find.fill(old)
        await expect(self.page.locator(".find-widget .matchesCount")).to_contain_text("1 of")
        await keyboard.press("Escape")
        await expect(self.editor).to_be_focused()
        if new:
            await keyboard.insert_text(new)
        else:
            await keyboard.press("Delete")

    async def review(self) -> Locator:
        """Presses Save; what comes is the review."""
        await self.button("Save").click()
        review = self.page.get_by_role("dialog", name="Review before saving")
        await expect(review).to_be_visible()
        return review

    async def save(self, reason: str) -> None:
        """Save, reason, Apply changes; until the console says that it is saved."""
        review = await self.review()
        await review.get_by_label("Reason").fill(reason)
        await review.get_by_role("button", name="Apply changes").click()
        await self.is_saved()

    async def is_saved(self) -> None:
        saved = self.page.get_by_role("region", name="Saved")
        said = saved.get_by_text("Saved as version")
        await expect(said).to_be_visible()
        await expect(saved.get_by_text("up to date")).to_have_count(5)
        version = (await said.inner_text()).removeprefix("Saved as version ").rstrip(".")
        header = self.page.locator("dl", has=self.page.get_by_text("Instance", exact=True))
        await expect(header).to_contain_text(f"Version{version}")

    async def tree_shows(self, name: str, literal: str) -> None:
        """A row of the tree, found with its filter as rows out of view do not exist."""
        await self.page.get_by_label("Filter variables").fill(name)
        row = self.page.get_by_role("treeitem").filter(has_text=f"{name}:{literal}")
        await expect(row.first).to_be_visible()

    async def picture(self, name: str) -> None:
        """Kept with the test's artefacts, for people to look at."""
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=ARTEFACTS / f"{name}.png")
