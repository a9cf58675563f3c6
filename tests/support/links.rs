//! Where what a site sends leads: every address that a page, a style sheet, an image, data, a feed, a sitemap or a header field names.
//! Knows no site: what an address is on, and whether anything is there, is for its callers to say.

use super::browser::{Page, Piece};
use super::http::Response;
use super::xml;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// An address somewhere, as it is written, and the method that is used there.
pub(crate) type Link = (String, &'static str);

/// What leads on from here.
#[derive(Debug, Default)]
pub(crate) struct Leads {
    /// In order, without those that only a part of what was sent says.
    pub(crate) links: Vec<Link>,
    /// The names of the places in it.
    pub(crate) ids: BTreeSet<String>,
}

impl Leads {
    /// Everything that a response leads to; why it is not what its type says.
    pub(crate) fn of(response: &Response) -> Result<Self, String> {
        let mut leads = Self::default();
        for field in response.headers("link") {
            leads.get(field.split('<').skip(1).filter_map(|rest| rest.split('>').next()));
        }
        let text = || std::str::from_utf8(&response.body).map_err(|error| error.to_string());
        let kind = response.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        match kind {
            "text/html" => leads.markup(Page::read(text()?).pieces(), true),
            "text/css" => leads.style(text()?),
            "text/plain" => leads.robots(text()?),
            _ if kind.ends_with("json") => {
                leads.data(&serde_json::from_str(text()?).map_err(|error| error.to_string())?);
            }
            _ if kind.ends_with("xml") => leads.markup(&xml::read(text()?)?, false),
            _ => {}
        }
        Ok(leads)
    }

    fn get<'a>(&mut self, addresses: impl IntoIterator<Item = &'a str>) {
        self.links.extend(addresses.into_iter().map(|address| (address.trim().to_owned(), "GET")));
    }

    /// HTML and XML: what of an XML document is an address may be text.
    fn markup(&mut self, pieces: &[Piece], is_html: bool) {
        let mut open = "";
        for piece in pieces {
            match piece {
                Piece::Start(name, attributes) => {
                    open = name;
                    let value = |wanted: &str| {
                        attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
                    };
                    let method =
                        if name == "form" && value("method").is_some_and(|word| word.eq_ignore_ascii_case("post")) {
                            "POST"
                        } else {
                            "GET"
                        };
                    for (attribute, value) in attributes {
                        match attribute.as_str() {
                            "href" | "src" | "poster" | "cite" | "xlink:href" => self.get([value.as_str()]),
                            "data" if name == "object" => self.get([value.as_str()]),
                            "action" | "formaction" => self.links.push((value.clone(), method)),
                            "srcset" | "imagesrcset" => {
                                self.get(value.split(',').filter_map(|part| part.split_whitespace().next()));
                            }
                            "id" => {
                                self.ids.insert(value.clone());
                            }
                            _ => {}
                        }
                    }
                    let is_refresh = value("http-equiv").is_some_and(|word| word.eq_ignore_ascii_case("refresh"));
                    let is_picture = value("property").is_some_and(|word| matches!(word, "og:image" | "og:url"));
                    if name == "meta" && (is_refresh || is_picture) {
                        let content = value("content").unwrap_or_default();
                        self.get(if is_picture { Some(content) } else { content.split_once("url=").map(|(_, to)| to) });
                    }
                }
                Piece::Text(text) => match open {
                    "style" => self.style(text),
                    // Sitemaps and feeds. What else a feed holds is markup within text.
                    "loc" | "link" | "icon" | "logo" if !is_html => self.get([text.as_str()]),
                    "content" | "summary" | "description" | "content:encoded" if !is_html => {
                        let mut inner = Self::default();
                        inner.markup(Page::read(text).pieces(), true);
                        // A link to a place of its own is one within the entry.
                        let stays = |to: &str| to.strip_prefix('#').is_some_and(|id| inner.ids.contains(id));
                        self.links.extend(inner.links.into_iter().filter(|(to, _)| !stays(to)));
                    }
                    _ => {}
                },
                Piece::End(_) | Piece::Comment(_) | Piece::Doctype => open = "",
            }
        }
    }

    fn style(&mut self, text: &str) {
        let addresses = text.split("url(").skip(1).filter_map(|rest| rest.split(')').next());
        self.get(addresses.map(|address| address.trim().trim_matches(['"', '\''])));
    }

    fn robots(&mut self, text: &str) {
        self.get(text.lines().filter_map(|line| line.strip_prefix("Sitemap:")));
    }

    /// Every text that is written as a path of this site.
    fn data(&mut self, data: &Json) {
        match data {
            Json::String(text) if text.starts_with('/') && !text.contains(char::is_whitespace) => {
                self.get([text.as_str()]);
            }
            Json::Array(items) => items.iter().for_each(|item| self.data(item)),
            Json::Object(members) => members.values().for_each(|member| self.data(member)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }
}
