// Into the basket of the shop and out of it.

import assert from "node:assert/strict";
import { follow, go, hasScripts, open, picture, press, says, travel, where } from "./browser.mjs";

travel(async (page, context) => {
    assert.equal(await open(page, "/"), 200);
    await picture(page, "shop-list");
    await follow(page, "Basket");
    await says(page, "There is nothing in it yet.");
    await picture(page, "shop-basket-empty");
    assert.deepEqual(await context.cookies(), []);

    // The first that is there.
    await open(page, "/");
    const card = page.locator(".card").filter({ hasText: "in stock" });
    const name = await card.first().getByRole("link").innerText();
    await go(page, () => card.first().getByRole("link").click());
    await picture(page, "shop-product");
    const product = where(page);
    await page.getByLabel("How many").fill("few");
    assert.equal(await press(page, "Add to basket"), 422);
    await says(page, "A whole number, please.");
    await picture(page, "shop-basket-invalid");
    // As it was, out of the browser's memory: nothing is loaded.
    await page.goBack({ waitUntil: "commit" });
    assert.equal(where(page), product);
    await page.getByLabel("How many").fill("3");
    assert.equal(await press(page, "Add to basket"), 200);
    assert.equal(where(page), "/basket");
    await says(page, name, "All together");
    assert.match(await page.locator("tbody").innerText(), /\b3\b/);
    const [cookie, ...others] = await context.cookies();
    assert.ok(cookie.name === "basket" && cookie.httpOnly && others.length === 0, JSON.stringify([cookie, others]));

    // A second thing, and more of the first.
    await open(page, "/");
    await go(page, () => card.nth(1).getByRole("link").click());
    assert.equal(await press(page, "Add to basket"), 200);
    await open(page, product);
    assert.equal(await press(page, "Add to basket"), 200);
    assert.equal(await page.locator("tbody tr").count(), 2);
    assert.match(await page.locator("tbody").innerText(), /\b4\b/);
    await picture(page, "shop-basket");
    await page.reload();
    assert.equal(await page.locator("tbody tr").count(), 2);
    if (hasScripts) assert.equal(await page.evaluate(() => document.cookie), "");

    // Too many.
    await open(page, product);
    await page.getByLabel("How many").fill("999");
    assert.equal(await press(page, "Add to basket"), 422);
    assert.equal(await page.locator("tbody tr").count(), 2);
    await picture(page, "shop-basket-refused");

    // Out again.
    for (const left of [1, 0]) {
        const first = page.getByRole("button", { name: "Take out" }).first();
        assert.equal(await go(page, () => first.click()), 200);
        assert.equal(await page.locator("tbody tr").count(), left);
    }
    await says(page, "There is nothing in it yet.");
});
