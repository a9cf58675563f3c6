// From the front page to the account, through all its forms, and out again.

import assert from "node:assert/strict";
import { SITE, follow, go, hasScripts, hides, open, picture, press, says, travel, where } from "./browser.mjs";

const THEME = "Appearance";

travel(async (page, context) => {
    // Nobody.
    assert.equal(await open(page, "/"), 200);
    await says(page, "Everything about your orders", "Sign in");
    await hides(page, "Alice", "Sign out");
    await picture(page, "account-public");
    assert.deepEqual(await context.cookies(), []);

    // A guarded page leads to the login, which knows where to go after.
    assert.equal(await open(page, "/account/orders/1"), 200);
    assert.equal(where(page), "/login?next=%2Faccount%2Forders%2F1");
    assert.equal(await open(page, "/account/new"), 200);
    assert.equal(where(page), "/login?next=%2Faccount%2Fnew");
    await hides(page, "Alice");
    await picture(page, "account-login");

    // Nothing typed, then a wrong password.
    assert.equal(await press(page, "Sign in"), 422);
    await says(page, "Tell us your name.", "Tell us your password.");
    await page.getByLabel("Name").fill("alice");
    await page.getByLabel("Password").fill("wrong-secret");
    assert.equal(await press(page, "Sign in"), 422);
    await says(page, "We know nobody of this name with this password.");
    assert.equal(await page.getByLabel("Name").inputValue(), "alice");
    assert.equal(await page.getByLabel("Password").inputValue(), "");
    await hides(page, "wrong-secret");
    await picture(page, "account-wrong-password");
    assert.deepEqual(await context.cookies(), []);

    // The right one leads to where it began, and its cookie is out of reach.
    await page.getByLabel("Password").fill("alice-secret");
    assert.equal(await press(page, "Sign in"), 200);
    assert.equal(where(page), "/account/new");
    const session = (await context.cookies()).find(cookie => cookie.name === "session");
    assert.ok(session?.httpOnly && session.secure && session.sameSite === "Lax", JSON.stringify(session));
    if (hasScripts) assert.equal(await page.evaluate(() => document.cookie), "");

    // The public page greets, and the account has its orders.
    await follow(page, "Acme Account");
    await says(page, "Good to see you, Alice", "Sign out");
    await picture(page, "account-greeting");
    await follow(page, "your account");
    assert.equal(where(page), "/account");
    await says(page, "Orders");
    const before = await page.locator("tbody tr").count();
    assert.ok(before > 0);
    await picture(page, "account-orders");

    // An order: what cannot be, then what can. What was typed stays.
    await follow(page, "Order something");
    await page.getByLabel("What", { exact: true }).selectOption({ index: 3 });
    const chosen = await page.getByLabel("What", { exact: true }).inputValue();
    await page.getByLabel("How many").fill("many");
    assert.equal(await press(page, "Order"), 422);
    await says(page, "A whole number, please.");
    assert.equal(await page.getByLabel("How many").inputValue(), "many");
    assert.equal(await page.getByLabel("What", { exact: true }).inputValue(), chosen);
    await picture(page, "account-order-invalid");
    await page.getByLabel("How many").fill("2");
    assert.equal(await press(page, "Order"), 200);
    const order = where(page);
    assert.match(order, /^\/account\/orders\/\d+$/);
    await says(page, "Thank you. It is on its way.", "2 ×", chosen);
    await picture(page, "account-order");
    // Told once.
    assert.equal(await go(page, () => page.reload()), 200);
    await says(page, "2 ×");
    await hides(page, "Thank you");
    await follow(page, "Your account");
    assert.equal(await page.locator("tbody tr").count(), before + 1);

    // A new name: none, one that the backend refuses, one that it takes.
    await follow(page, "Change your name");
    assert.equal(await page.getByLabel("What shall we call you?").inputValue(), "Alice Lind");
    await page.getByLabel("What shall we call you?").fill("  ");
    assert.equal(await press(page, "Change it"), 422);
    await says(page, "Up to sixty characters, please.");
    await page.getByLabel("What shall we call you?").fill("Ruth Root");
    assert.equal(await press(page, "Change it"), 422);
    await says(page, "Somebody else is called that already.");
    assert.equal(await page.getByLabel("What shall we call you?").inputValue(), "Ruth Root");
    await picture(page, "account-name-refused");
    const name = `Alice <b>"O'Anvil"</b> & Söhne`;
    await page.getByLabel("What shall we call you?").fill(name);
    assert.equal(await press(page, "Change it"), 200);
    assert.equal(where(page), "/account");
    await says(page, `From now on you are ${name}.`);
    assert.equal(await page.locator("h1").innerText(), name);
    await picture(page, "account-flash");

    // A picture, and something that is none.
    await follow(page, "Send a picture");
    const files = page.getByLabel("PNG or JPEG, at most a mebibyte");
    await files.setInputFiles({ name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("none") });
    assert.equal(await press(page, "Send it"), 422);
    await says(page, "A PNG or JPEG of at most a mebibyte, please.");
    await picture(page, "account-picture-refused");
    const png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==", "base64");
    await files.setInputFiles({ name: "a.png", mimeType: "image/png", buffer: png });
    assert.equal(await press(page, "Send it"), 200);
    await says(page, "What a nice picture.");

    // Dark for good, from the page that the form stands on, and back there.
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.getByLabel(THEME).selectOption("dark");
    assert.equal(await press(page, "Keep"), 200);
    assert.equal(where(page), "/account");
    assert.notEqual(await ground(), light);
    await open(page, "/");
    assert.equal(await page.getByLabel(THEME).inputValue(), "dark");
    assert.notEqual(await ground(), light);
    const theme = (await context.cookies()).find(cookie => cookie.name.endsWith("theme"));
    assert.ok(theme.name === "__Host-theme" && theme.value === "dark" && theme.secure, JSON.stringify(theme));

    // Not for her.
    assert.equal(await open(page, "/admin"), 403);
    await says(page, "This is for those who run the shop.");
    await hides(page, "root", "Bob");
    await picture(page, "account-forbidden");
    assert.equal(await open(page, "/account/orders/999999"), 404);
    await picture(page, "account-missing");

    // Scripts of the site use the API with the same session.
    if (hasScripts) {
        const asked = await page.evaluate(async () => {
            const send = async (method, path, body) => {
                const headers = body === undefined ? {} : { "content-type": "application/json" };
                const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
                const text = await answer.text();
                return { status: answer.status, kind: answer.headers.get("content-type"), location: answer.headers.get("location"), body: text && JSON.parse(text) };
            };
            const me = await send("GET", "/api/me");
            const placed = await send("POST", "/api/orders", { sku: "FO-107", count: 2 });
            const shown = await send("GET", placed.location);
            const wrong = await send("POST", "/api/orders", { sku: "FO-107", count: "2", more: 1 });
            const removed = await send("DELETE", placed.location);
            const again = await send("GET", placed.location);
            return { me, placed, shown, wrong, removed, again };
        });
        assert.equal(asked.me.body.id, "alice");
        assert.equal(asked.placed.status, 201);
        assert.equal(asked.shown.status, 200);
        assert.equal(asked.shown.body.count, 2);
        assert.equal(asked.wrong.status, 422);
        assert.equal(asked.wrong.kind, "application/problem+json");
        assert.deepEqual(asked.wrong.body.errors.map(error => error.field).sort(), ["count", "more"]);
        assert.equal(asked.removed.status, 204);
        assert.equal(asked.again.body.state ?? "", asked.again.status === 404 ? "" : "cancelled", JSON.stringify(asked.again));
    }

    // What was ordered is cancelled.
    await open(page, order);
    assert.equal(await press(page, "Cancel it"), 200);
    await says(page, `Order ${order.split("/").pop()} is cancelled.`);
    const after = await page.locator("tbody").innerText().catch(() => "");

    // Out. What was seen is not seen again, neither by going back nor by asking for it.
    await follow(page, "Sign out");
    await picture(page, "account-logout");
    assert.equal(await press(page, "Sign out"), 200);
    assert.equal(where(page), "/");
    await says(page, "You are signed out.", "Sign in");
    await hides(page, "Alice", "Sign out");
    await picture(page, "account-signed-out");
    assert.equal((await context.cookies()).find(cookie => cookie.name === "session"), undefined);
    for (let steps = 0; steps < 4; steps += 1) {
        await page.goBack();
        await hides(page, "Söhne", "See you");
        if (after) await hides(page, "<tbody>");
    }
    await open(page, "/account");
    assert.equal(where(page), "/login?next=%2Faccount");
    await open(page, "/");
    await says(page, "Everything about your orders", "Sign in");
    await hides(page, "Söhne", "Good to see you", "You are signed out");

    // Somebody else, who may.
    await open(page, "/admin");
    assert.equal(where(page), "/login?next=%2Fadmin");
    await page.getByLabel("Name").fill("root");
    await page.getByLabel("Password").fill("root-secret");
    assert.equal(await press(page, "Sign in"), 200);
    assert.equal(where(page), "/admin");
    await says(page, "Everybody", "alice", "bob", "root", name);
    await page.getByLabel(THEME).selectOption("auto");
    await press(page, "Keep");
    await picture(page, "account-admin");
    await follow(page, "Handbook");
    await says(page, "Anvils are stacked flat.");
    await picture(page, "account-handbook");
    assert.ok(page.url().startsWith(SITE));
});
