//! The languages of a site: which one a visitor gets, where it may be read, and how many copies there are of a page.

use super::site;
use crate::support::fault::FaultServer;
use crate::support::http::Response;
use crate::support::site::Site;
use serde_json::json;

crate::cases!(
    a_visitor_gets_the_language_that_is_wanted_most,
    a_site_has_a_language_whatever_it_says_of_it,
    the_choice_reaches_calls_headers_rules_and_layouts,
    there_is_one_stored_page_for_each_language,
    an_asked_route_answers_in_the_language_of_the_visitor,
);

const LANGUAGES: &str = "[site]\nlanguage = \"en\"\nlanguages = [\"de-AT\", \"en\", \"zh-Hant\"]\n";

fn accepting(site: &Site, target: &str, accepted: &str) -> Response {
    site.request("GET", target, &[("accept-language", accepted)], b"")
}

fn a_visitor_gets_the_language_that_is_wanted_most() {
    let fault = FaultServer::start();
    let site = site(&fault, &format!("{LANGUAGES}-- routes/index.toml --\njson = \"{{request.language}}\"\n"));
    for (accepted, language) in [
        ("en-US,en;q=0.9,de;q=0.8", "en"),
        ("de-CH,de;q=0.9,en;q=0.8", "de-AT"),
        ("DE-at", "de-AT"),
        ("zh-Hant-TW, *;q=0.5", "zh-Hant"),
        ("zh-Hans, fr", "en"),
        ("en;q=0, *", "de-AT"),
        ("*;q=0", "en"),
        ("de;q=7, \u{fc}, de_AT, ;;", "en"),
        ("", "en"),
    ] {
        let response = accepting(&site, "/", accepted);
        assert_eq!((response.status, response.json()), (200, json!(language)), "{accepted}");
        assert_eq!(response.header("vary"), Some("accept-language"));
    }
    assert_eq!(site.get("/").json(), json!("en"));
}

fn a_site_has_a_language_whatever_it_says_of_it() {
    let fault = FaultServer::start();
    for (written, expected) in [
        ("", json!(["en", ["en"]])),
        ("[site]\nlanguage = \"de\"\n", json!(["de", ["de"]])),
        ("[site]\nlanguages = [\"fr\", \"de\"]\n", json!(["fr", ["fr", "de"]])),
        (LANGUAGES, json!(["en", ["de-AT", "en", "zh-Hant"]])),
    ] {
        let site = site(
            &fault,
            &format!("{written}-- routes/index.toml --\njson = [\"{{site.language}}\", \"{{site.languages}}\"]\n"),
        );
        assert_eq!(site.get("/").json(), expected, "{written}");
    }
}

fn the_choice_reaches_calls_headers_rules_and_layouts() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        &format!(
            "{LANGUAGES}-- routes/index.toml --\nlayout = \"page.html\"\ntitle = \"in {{request.language}}\"\nheaders = {{ content-language = \"{{request.language}}\" }}\n\
             [sources.a]\nupstream = \"up\"\npath = \"/echo\"\nquery = {{ language = \"{{request.language}}\" }}\n\
             [[rules]]\nif = \"request.language == 'zh-Hant'\"\nthen = {{ redirect = \"/{{request.language}}/home\" }}\n\
             -- layouts/page.html --\n<html lang=\"{{{{ request.language }}}}\">{{% for language in site.languages %}}{{{{ language }}}}{{% if language == request.language %}}!{{% endif %}} {{% endfor %}}\
             {{{{ page.title }}}} {{{{ a.query.language }}}}\n"
        ),
    );
    let page = accepting(&site, "/", "de");
    assert_eq!(page.text().trim(), "<html lang=\"de-AT\">de-AT! en zh-Hant in de-AT de-AT");
    assert_eq!((page.header("content-language"), page.header("vary")), (Some("de-AT"), Some("accept-language")));
    let moved = accepting(&site, "/", "zh-Hant");
    assert_eq!((moved.status, moved.header("location")), (302, Some("/zh-Hant/home")));
    assert_eq!(moved.header("vary"), Some("accept-language"));
}

/// However many ways there are to say it.
fn there_is_one_stored_page_for_each_language() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        &format!(
            "{LANGUAGES}-- routes/index.toml --\njson = [\"{{request.language}}\", \"{{a.count}}\"]\ncache = {{ s-maxage = \"1h\" }}\n\
             [sources.a]\nupstream = \"up\"\npath = \"/count\"\nquery = {{ language = \"{{request.language}}\" }}\n"
        ),
    );
    for round in 0..50 {
        for (language, accepted) in [
            ("de-AT", format!("de-AT, x-{round}")),
            ("de-AT", format!("de;q=0.{round}1")),
            ("en", format!("en-x-{round}, de;q=0.5")),
            ("en", format!("fr-{round}")),
        ] {
            let response = accepting(&site, "/", &accepted);
            assert_eq!((response.status, &response.json()[0]), (200, &json!(language)), "{accepted}");
        }
    }
    assert_eq!(site.get("/").json()[0], json!("en"));
    assert_eq!(fault.total_calls(), 2, "a page for each language that was wanted");
}

fn an_asked_route_answers_in_the_language_of_the_visitor() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        &format!(
            "{LANGUAGES}-- routes/words.toml --\njson = {{ language = \"{{request.language}}\" }}\ncache = {{ s-maxage = \"1h\" }}\n\
             -- routes/between.toml --\njson = \"{{words.language}}\"\n[sources.words]\nroute = \"/words\"\n\
             -- routes/index.toml --\njson = \"{{between}}\"\ncache = {{ s-maxage = \"1h\" }}\n[sources.between]\nroute = \"/between\"\n"
        ),
    );
    for _ in 0..2 {
        for (accepted, language) in [("de", "de-AT"), ("en", "en"), ("zh-Hant-HK", "zh-Hant")] {
            let response = accepting(&site, "/", accepted);
            assert_eq!((response.json(), response.header("vary")), (json!(language), Some("accept-language")));
        }
    }
}
