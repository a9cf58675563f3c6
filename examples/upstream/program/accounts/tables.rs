//! The tables, what they begin with, and what may be done to them. Nothing here knows of HTTP but the status of a refusal.

use super::tokens::Keys;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// The products that the stateless part of this upstream serves.
const PRODUCTS: &str = include_str!("../../content/data/products.json");

/// Why not.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) message: &'static str,
    /// What is wrong with which field.
    pub(super) errors: Vec<(&'static str, String)>,
}

impl Refused {
    /// For a reason that is not in one field.
    pub(super) fn new(status: u16, message: &'static str) -> Self {
        Self { status, message, errors: Vec::new() }
    }

    /// Because nobody is signed in.
    pub(super) fn nobody() -> Self {
        Self::new(401, "Sign in first.")
    }

    /// Because it is not there, or not theirs: nobody learns which.
    pub(super) fn not_found() -> Self {
        Self::new(404, "There is no such thing.")
    }

    /// Says what is wrong with a field.
    pub(super) fn blame(&mut self, field: &'static str, why: &str) -> &mut Self {
        self.errors.push((field, why.to_owned()));
        self
    }

    /// Says so if a field is empty.
    pub(super) fn blame_empty(&mut self, field: &'static str, value: &str) -> &mut Self {
        if value.is_empty() { self.blame(field, "This is missing.") } else { self }
    }

    /// Refuses, if there is anything to blame.
    pub(super) fn unless_blameless(self) -> Result<(), Self> {
        if self.errors.is_empty() { Ok(()) } else { Err(self) }
    }
}

/// Somebody who may sign in.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) name: &'static str,
    pub(super) full_name: String,
    /// A real backend keeps a hash.
    pub(super) password: String,
    pub(super) role: &'static str,
}

impl Account {
    /// What anybody may know who may know of it at all.
    pub(super) fn told(&self) -> Value {
        json!({ "name": self.name, "full_name": self.full_name, "role": self.role })
    }
}

/// What somebody has ordered.
#[derive(Debug)]
pub(super) struct Order {
    number: u64,
    by: String,
    sku: String,
    product: String,
    count: u64,
    cents: u64,
    state: &'static str,
}

impl Order {
    /// What its owner may know.
    pub(super) fn told(&self) -> Value {
        let Self { number, by: _, sku, product, count, cents, state } = self;
        let sum = euros(cents * count);
        json!({ "id": number, "sku": sku, "product": product, "count": count, "sum": sum, "state": state })
    }
}

/// Whose a basket is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    Account(String),
    /// Whoever has the cookie with this value.
    Unknown(String),
}

struct Product {
    name: String,
    cents: u64,
    stock: u64,
}

/// Everything.
pub(super) struct Tables {
    pub(super) accounts: BTreeMap<String, Account>,
    /// Whose session it is, by the value of its cookie.
    pub(super) sessions: HashMap<String, String>,
    /// How many of what.
    pub(super) baskets: HashMap<Owner, BTreeMap<String, u64>>,
    /// The order that was placed with a key, by account and key.
    pub(super) repeats: HashMap<(String, String), u64>,
    /// A picture and what it is, by account.
    pub(super) pictures: HashMap<String, (&'static str, Vec<u8>)>,
    pub(super) keys: Keys,
    products: BTreeMap<String, Product>,
    orders: BTreeMap<u64, Order>,
}

impl Tables {
    /// As they are at each start.
    pub(super) fn seeded() -> Self {
        let people =
            [("alice", "Alice Lind", "customer"), ("bob", "Bob Ferrar", "customer"), ("root", "Ruth Root", "admin")];
        let accounts = people.map(|(name, full_name, role)| {
            let account = Account { name, full_name: full_name.to_owned(), password: format!("{name}-secret"), role };
            (name.to_owned(), account)
        });
        let mut tables = Self {
            accounts: accounts.into(),
            sessions: HashMap::new(),
            baskets: HashMap::new(),
            repeats: HashMap::new(),
            pictures: HashMap::new(),
            keys: Keys::seeded(),
            products: products(),
            orders: BTreeMap::new(),
        };
        for (by, sku, count) in [("alice", "FO-107", 1), ("alice", "FO-121", 2), ("bob", "FO-114", 3)] {
            // What the shelves of the example lack was never ordered.
            tables.place(by, sku, Some(count)).ok();
        }
        if let Some(first) = tables.orders.get_mut(&1001) {
            first.state = "delivered";
        }
        tables
    }

    fn product(&self, sku: &str, count: Option<u64>) -> Result<(&Product, u64), Refused> {
        let mut wrong = Refused::new(422, "That cannot be ordered.");
        let product = self.products.get(sku);
        match (product, count) {
            (None, _) => wrong.blame("sku", "We do not sell that."),
            (_, None | Some(0)) => wrong.blame("count", "A whole number, please."),
            (Some(product), Some(count)) if count > product.stock => {
                wrong.blame("count", &format!("There are only {} of them.", product.stock))
            }
            (Some(product), Some(count)) => return Ok((product, count)),
        };
        Err(wrong)
    }

    /// Places an order, and tells its number.
    pub(super) fn place(&mut self, by: &str, sku: &str, count: Option<u64>) -> Result<u64, Refused> {
        let (product, count) = self.product(sku, count)?;
        let number = self.orders.last_key_value().map_or(1001, |(last, _)| last + 1);
        let order = Order {
            number,
            by: by.to_owned(),
            sku: sku.to_owned(),
            product: product.name.clone(),
            count,
            cents: product.cents,
            state: "in the post",
        };
        self.orders.insert(number, order);
        Ok(number)
    }

    /// What somebody has ordered, the latest first.
    pub(super) fn orders_of(&self, id: &str) -> Vec<Value> {
        self.orders.values().rev().filter(|order| order.by == id).map(Order::told).collect()
    }

    /// An order of somebody's own.
    pub(super) fn order_of(&self, id: &str, number: &str) -> Result<&Order, Refused> {
        let order = number.parse().ok().and_then(|number: u64| self.orders.get(&number));
        order.filter(|order| order.by == id).ok_or_else(Refused::not_found)
    }

    /// Cancels one.
    pub(super) fn cancel(&mut self, id: &str, number: &str) -> Result<(), Refused> {
        let order = self.order_of(id, number)?;
        if order.state == "delivered" {
            return Err(Refused::new(409, "It has been delivered already."));
        }
        let number = order.number;
        self.orders.remove(&number);
        Ok(())
    }

    /// Puts so many more into a basket.
    pub(super) fn put(&mut self, owner: &Owner, sku: &str, count: Option<u64>) -> Result<(), Refused> {
        let before = self.baskets.get(owner).and_then(|basket| basket.get(sku)).copied().unwrap_or_default();
        let count = count.filter(|&count| count > 0).map(|count| before.saturating_add(count));
        let (_, count) = self.product(sku, count)?;
        self.baskets.entry(owner.clone()).or_default().insert(sku.to_owned(), count);
        Ok(())
    }

    /// Takes all of one kind out of a basket.
    pub(super) fn take(&mut self, owner: &Owner, sku: &str) {
        self.baskets.entry(owner.clone()).or_default().remove(sku);
    }

    /// What was put into a basket before its owner signed in is the owner's.
    pub(super) fn move_basket(&mut self, unknown: &str, id: &str) {
        let before = self.baskets.remove(&Owner::Unknown(unknown.to_owned()));
        let owner = Owner::Account(id.to_owned());
        for (sku, count) in before.unwrap_or_default() {
            // More than there are stays behind.
            self.put(&owner, &sku, Some(count)).ok();
        }
    }

    /// What is in a basket.
    pub(super) fn basket_told(&self, owner: &Owner) -> Value {
        let basket = self.baskets.get(owner).into_iter().flatten();
        let lines = basket.filter_map(|(sku, &count)| Some((sku, count, self.products.get(sku)?)));
        let lines: Vec<_> = lines.collect();
        let items: Vec<Value> = lines
            .iter()
            .map(|(sku, count, product)| {
                let (price, sum) = (euros(product.cents), euros(product.cents * count));
                json!({ "sku": sku, "name": product.name, "count": count, "price": price, "sum": sum })
            })
            .collect();
        let count: u64 = lines.iter().map(|(_, count, _)| count).sum();
        let cents: u64 = lines.iter().map(|(_, count, product)| product.cents * count).sum();
        json!({ "items": items, "count": count, "sum": euros(cents) })
    }
}

fn products() -> BTreeMap<String, Product> {
    let data: Value = serde_json::from_str(PRODUCTS).unwrap_or_default();
    let items = data["items"].as_array().cloned().unwrap_or_default();
    let product = |item: &Value| {
        let cents = item["price"].to_string().parse().map(cents_of).ok()?;
        let name = item["name"].as_str()?.to_owned();
        Some((item["sku"].as_str()?.to_owned(), Product { name, cents, stock: item["stock"].as_u64()? }))
    };
    items.iter().filter_map(product).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the prices of the example are small")]
fn cents_of(euros: f64) -> u64 {
    (euros * 100.0).round() as u64
}

fn euros(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
