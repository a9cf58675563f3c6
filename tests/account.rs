//! `examples/account` and the basket of `examples/shop`, as those who use them do: with cookies and forms, and no script.

use crate::support::accounts::{Example, FORM, Visitor, urlencoded};
use crate::support::http::Response;

crate::cases!(
    somebody_signs_in_orders_and_signs_out,
    what_is_wrong_is_said_beside_its_field,
    a_picture_goes_through,
    a_theme_is_kept,
    the_area_for_some_is_for_them,
    the_page_of_all_others_is_made_once,
    programs_use_the_api,
    a_basket_is_filled_and_emptied,
    nobody_answers_for_a_while,
);

fn led(answer: &Response, to: &str) {
    assert_eq!((answer.status, answer.header("location")), (303, Some(to)), "{answer:?}");
}

fn shows(answer: &Response, status: u16, texts: &[&str]) {
    assert_eq!(answer.status, status, "{answer:?}");
    for text in texts {
        assert!(answer.text().contains(text), "{text}: {}", answer.text());
    }
}

fn somebody_signs_in_orders_and_signs_out() {
    let example = Example::start("account");
    let mut alice = Visitor::of(&example.site);
    let asked = alice.get("/account/orders/1001");
    assert_eq!((asked.status, asked.header("location")), (302, Some("/login?next=%2Faccount%2Forders%2F1001")));
    shows(&alice.get("/login?next=%2Faccount%2Forders%2F1001"), 200, &["name=\"next\" value=\"/account/orders/1001\""]);
    let form = [("name", "alice"), ("password", "alice-secret"), ("next", "/account/orders/1001")];
    led(&alice.post("/login", &form), "/account/orders/1001");
    shows(&alice.get("/account/orders/1001"), 200, &["Order 1001", "Anvil, 50 kg", "delivered", "Alice Lind"]);
    // Who is signed in has nothing to do at the door.
    assert_eq!(alice.get("/login").header("location"), Some("/account"));
    led(&alice.post("/account/new", &[("sku", "FO-121"), ("count", "2")]), "/account/orders/1004");
    shows(&alice.get("/account/orders/1004"), 200, &["Thank you. It is on its way.", "2 × Bellows &amp; nozzle"]);
    let again = alice.get("/account/orders/1004");
    assert!(!again.text().contains("Thank you"), "it is said once");
    led(&alice.post("/account/orders/1004", &[]), "/account");
    let page = alice.get("/account");
    shows(&page, 200, &["Order 1004 is cancelled.", "/account/orders/1002"]);
    assert!(!page.text().contains("/account/orders/1004"));
    led(&alice.post("/account/name", &[("full_name", "Alice Liddell")]), "/account");
    shows(&alice.get("/"), 200, &["Good to see you, Alice Liddell"]);
    led(&alice.post("/logout", &[]), "/");
    shows(&alice.get("/"), 200, &["You are signed out.", "Sign in"]);
    assert_eq!(alice.get("/account").status, 302);
}

fn what_is_wrong_is_said_beside_its_field() {
    let example = Example::start("account");
    let mut alice = Visitor::of(&example.site);
    // What we see ourselves.
    let empty = alice.post("/login", &[("name", "alice"), ("next", "/account/new")]);
    shows(&empty, 422, &["id=\"password-error\">Tell us your password.", "value=\"alice\"", "value=\"/account/new\""]);
    assert!(!empty.text().contains("id=\"name-error\""));
    // What the backend says.
    let wrong = alice.post("/login", &[("name", "alice"), ("password", "none")]);
    shows(&wrong, 422, &["role=\"alert\">We know nobody of this name with this password."]);
    assert!(wrong.headers("set-cookie").is_empty());
    let mut alice = Visitor::signed_in(&example.site, "alice");
    let many = alice.post("/account/new", &[("sku", "FO-107"), ("count", "999")]);
    shows(&many, 422, &["id=\"count-error\">There are only 13 of them.", "value=\"999\"", "value=\"FO-107\" selected"]);
    shows(
        &alice.post("/account/new", &[("sku", "FO-107"), ("count", "x")]),
        422,
        &["A whole number, please.", "value=\"x\""],
    );
    shows(
        &alice.post("/account/name", &[("full_name", "bob ferrar")]),
        422,
        &["Somebody else is called that already."],
    );
    shows(&alice.post("/account/orders/1001", &[]), 422, &["It has been delivered already."]);
    assert_eq!(alice.post("/account/orders/1003", &[]).status, 404, "somebody else's");
    shows(&alice.get("/account"), 200, &["Alice Lind", "/account/orders/1001", "/account/orders/1002"]);
}

fn a_picture_goes_through() {
    let example = Example::start("account");
    let mut alice = Visitor::signed_in(&example.site, "alice");
    let send = |alice: &mut Visitor, kind: &str, octets: &[u8]| {
        let head = format!(
            "--b\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"p\"\r\nContent-Type: {kind}\r\n\r\n"
        );
        let body = [head.as_bytes(), octets, b"\r\n--b--\r\n"].concat();
        let fields = [("content-type", "multipart/form-data; boundary=b"), ("sec-fetch-site", "same-origin")];
        alice.send("POST", "/account/picture", &fields, &body)
    };
    let png = [b"\x89PNG\r\n\x1a\n".as_slice(), &[0, 1, b'-', b'-', b'b', 13, 10, 255]].concat();
    led(&send(&mut alice, "image/png", &png), "/account");
    let cookie = example.accounts.sign_in("alice");
    let hung = example.accounts.request("GET", "/picture", &[("cookie", &cookie)], "");
    assert_eq!((hung.header("content-type"), &hung.body), (Some("image/png"), &png));
    shows(&send(&mut alice, "image/png", b"GIF89a"), 422, &["PNG or JPEG only."]);
    shows(&send(&mut alice, "text/html", &png), 422, &["A PNG or JPEG of at most a mebibyte, please."]);
    let large = [png.clone(), vec![0; 1 << 20]].concat();
    assert!(matches!(send(&mut alice, "image/png", &large).status, 413 | 422));
    let again = example.accounts.request("GET", "/picture", &[("cookie", &cookie)], "");
    assert_eq!(again.body, png);
}

fn a_theme_is_kept() {
    let example = Example::start("account");
    let mut visitor = Visitor::of(&example.site);
    shows(&visitor.get("/"), 200, &["data-theme=\"auto\""]);
    led(&visitor.post("/theme", &[("theme", "dark"), ("next", "/login")]), "/login");
    shows(&visitor.get("/"), 200, &["data-theme=\"dark\"", "value=\"dark\" selected"]);
    assert_eq!(visitor.post("/theme", &[("theme", "none"), ("next", "/")]).status, 422);
    assert_eq!(visitor.cookies["__Host-theme"], "dark");
    shows(&Visitor::of(&example.site).get("/"), 200, &["data-theme=\"auto\""]);
}

fn the_area_for_some_is_for_them() {
    let example = Example::start("account");
    let mut root = Visitor::signed_in(&example.site, "root");
    shows(&root.get("/account"), 200, &["href=\"/admin\""]);
    shows(&root.get("/admin"), 200, &["Bob Ferrar", "href=\"/admin/files/counter.txt\""]);
    let users = root.get("/admin/users.json").json();
    assert_eq!(users["users"][1]["id"], "bob");
    shows(&root.get("/admin/backend/whoami"), 200, &["Ruth Root"]);
    // Once made, the handbook is kept for all who may read it.
    for visitor in [&mut root, &mut Visitor::signed_in(&example.site, "root")] {
        shows(&visitor.get("/admin/handbook/returns"), 200, &["thirty days"]);
    }
    let kept = root.get("/admin/handbook/returns");
    assert!(kept.header("cache-status").is_some_and(|told| told.contains("; hit")), "{kept:?}");
    let mut alice = Visitor::signed_in(&example.site, "alice");
    assert!(!alice.get("/account").text().contains("href=\"/admin\""));
    for target in ["/admin", "/admin/handbook/returns", "/admin/files/counter.txt", "/admin/backend/whoami"] {
        shows(&alice.get(target), 403, &["This is for those who run the shop."]);
        assert_eq!(example.site.get(target).status, 302);
    }
    assert_eq!(alice.get("/admin/users.json").header("content-type"), Some("application/problem+json"));
}

fn the_page_of_all_others_is_made_once() {
    let example = Example::start("account");
    let first = example.site.get("/");
    assert!(first.header("cache-status").is_some_and(|told| told.contains("stored")), "{first:?}");
    let mut alice = Visitor::signed_in(&example.site, "alice");
    for _ in 0..3 {
        let own = alice.get("/");
        shows(&own, 200, &["Alice Lind"]);
        assert_eq!((own.header("cache-control"), own.header("cache-status")), (Some("private, no-store"), None));
        let others = example.site.get("/");
        assert_eq!(others.body, first.body);
        assert!(others.header("cache-status").is_some_and(|told| told.contains("; hit")), "{others:?}");
    }
}

fn programs_use_the_api() {
    let example = Example::start("account");
    assert_eq!(example.site.get("/api/me").status, 401);
    let form = urlencoded(&[("name", "bob"), ("password", "bob-secret")]);
    let token = || {
        let told = example.accounts.request("POST", "/token", &[FORM], &form).json();
        format!("Bearer {}", told["access_token"].as_str().expect("a token"))
    };
    let (before, json) = (token(), ("content-type", "application/json"));
    let ask = |method: &str, target: &str, token: &str, body: &str| {
        let fields = [("authorization", token), json];
        example.site.request(method, target, &fields[..if body.is_empty() { 1 } else { 2 }], body.as_bytes())
    };
    assert_eq!(ask("GET", "/api/me", &before, "").json()["name"], "Bob Ferrar");
    let placed = ask("POST", "/api/orders", &before, "{\"sku\":\"FO-107\",\"count\":2}");
    assert_eq!((placed.status, placed.header("location")), (201, Some("/api/orders/1004")), "{placed:?}");
    assert_eq!(placed.json(), serde_json::json!({ "id": 1004, "sum": "21.72" }));
    assert_eq!(ask("GET", "/api/orders/1004", &before, "").json()["product"], "Anvil, 50 kg");
    let refused = ask("POST", "/api/orders", &before, "{\"sku\":\"FO-107\",\"count\":900}");
    assert_eq!((refused.status, &refused.json()["errors"][0]["field"]), (422, &"count".into()), "{refused:?}");
    assert_eq!(ask("DELETE", "/api/orders/1001", &before, "").status, 404, "somebody else's");
    assert_eq!(ask("DELETE", "/api/orders/1004", &before, "").status, 204);
    assert_eq!(ask("GET", "/api/orders/1004", &before, "").status, 404);
    assert_eq!(ask("PUT", "/api/orders/1004", &before, "{}").status, 405);
    assert_eq!(example.site.get("/greeting.json").json()["known"], serde_json::Value::Null);
    assert_eq!(ask("GET", "/greeting.json", &before, "").json()["known"], "bob");
    let forged = format!("{before}A");
    assert_eq!(ask("GET", "/api/me", &forged, "").status, 401);
    assert!(token().len() > 100);
}

fn a_basket_is_filled_and_emptied() {
    let shop = Example::start("shop");
    let mut visitor = Visitor::of(&shop.site);
    shows(&visitor.get("/basket"), 200, &["There is nothing in it yet."]);
    assert!(visitor.cookies.is_empty(), "who only looks is given nothing");
    shows(&visitor.get("/products/FO-107"), 200, &["action=\"/basket\"", "name=\"sku\" value=\"FO-107\""]);
    led(&visitor.post("/basket", &[("sku", "FO-107"), ("count", "2")]), "/basket");
    led(&visitor.post("/basket", &[("sku", "FO-107")]), "/basket");
    led(&visitor.post("/basket", &[("sku", "FO-121"), ("count", "1")]), "/basket");
    let page = visitor.get("/basket");
    shows(
        &page,
        200,
        &["<td class=\"number\">3</td><td class=\"number\">32.58 €</td>", "Bellows &amp; nozzle", "58.19 €"],
    );
    assert_eq!(page.header("cache-control"), Some("private, no-store"));
    let many = visitor.post("/basket", &[("sku", "FO-107"), ("count", "100")]);
    shows(&many, 422, &["There are only 13 of them.", "<td class=\"number\">3</td>"]);
    led(&visitor.post("/basket", &[("sku", "FO-107"), ("change", "remove")]), "/basket");
    let page = visitor.get("/basket");
    assert!(!page.text().contains("FO-107") && page.text().contains("25.61 €"), "{}", page.text());
    shows(&Visitor::of(&shop.site).get("/basket"), 200, &["There is nothing in it yet."]);
    // The pages that add to it stay everybody's.
    let kept = visitor.get("/products/FO-107");
    assert!(kept.header("cache-status").is_some_and(|told| told.contains("; hit")), "{kept:?}");
}

fn nobody_answers_for_a_while() {
    let Example { site, accounts, .. } = Example::start("account");
    let mut alice = Visitor::signed_in(&site, "alice");
    let mut unknown = Visitor::of(&site);
    site.get("/");
    drop(accounts);
    assert_eq!(alice.get("/account").status, 503);
    let failed = unknown.post("/login", &[("name", "alice"), ("password", "alice-secret")]);
    shows(&failed, 502, &["Nobody answers at the moment.", "value=\"alice\""]);
    assert!(!failed.text().contains("alice-secret\""));
    shows(&unknown.get("/"), 200, &["Sign in"]);
}
