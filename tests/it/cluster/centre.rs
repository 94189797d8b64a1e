//! One process for several counties, as a prefecture starts it: its own file, and one of each
//! county. Each county has a row of grids, the next one to the east of it.

use super::Nats;
use crate::program::{GRIDS, Office, Program, write_registers};
use huoyan::config::Config;
use huoyan::store::Store;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// A row of eight grids.
pub const WIDTH_DEG: f64 = 0.8;

pub struct Centre {
    pub office: Office,
}

impl Centre {
    /// `more` stands in the file of every county.
    pub fn prepare(nats: &Nats, store_url: &str, counties: &[&'static str], more: &str) -> Self {
        let own = format!(
            "[server]\npublic_url = \"http://centre.localhost\"\n[bus]\nurl = \"{}\"\n[centre]\n\
            counties = \"counties\"\n",
            nats.url()
        );
        let office = Office::prepare(&own, 1)
            .in_role("desk")
            .with_env([("HUOYAN_STORE_URL".to_owned(), store_url.to_owned())]);
        let centre = Self { office };
        fs::create_dir(centre.office.folder().join("counties")).expect("a folder");
        for (n, code) in counties.iter().enumerate() {
            centre.writes(code, &format!("{}{more}", Self::named(code)));
            write_registers(&centre.data(code).join("registers"), GRIDS, n as f64 * WIDTH_DEG);
        }
        centre
    }

    /// What every county's file says.
    pub fn named(code: &str) -> String {
        format!("[server]\npublic_url = \"http://{}\"\n", Self::host(code))
    }

    pub fn host(code: &str) -> String {
        format!("{code}.localhost")
    }

    pub fn removes(&self, code: &str) {
        fs::remove_file(self.office.folder().join(format!("counties/{code}.toml"))).expect("gone");
    }

    /// A county's file.
    pub fn writes(&self, code: &str, text: &str) {
        fs::write(self.office.folder().join(format!("counties/{code}.toml")), text)
            .expect("a file");
    }

    pub fn data(&self, code: &str) -> PathBuf {
        self.office.data.join(code)
    }

    /// The links by code, once every county has been tried.
    pub async fn start(&self) -> (Program, Value) {
        self.office.start_and_read().await
    }

    /// The configuration as the program reads it.
    pub fn config(&self, code: &str) -> Config {
        let mut own = Config::load(Some(&self.office.folder().join("huoyan.toml"))).expect("valid");
        own.store.data.clone_from(&self.office.data);
        own.county(code).expect("a county")
    }

    /// A county's database, as the program sees it.
    pub async fn store(&self, code: &str, store_url: &str) -> Store {
        let mut config = self.config(code);
        store_url.clone_into(&mut config.store.url);
        Store::of(&config).await.expect("opens")
    }
}
