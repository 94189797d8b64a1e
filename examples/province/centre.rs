//! The centre: a NATS server, PostgreSQL, and one or two processes of `huoyan desk` that house all
//! counties.

use crate::cluster::{self, Nats};
use crate::edges;
use crate::program::{Browser, Program, binary, client, write_registers};
use huoyan::clock::Clock;
use huoyan::error::{Error, Result};
use huoyan::store::{Access, Store};
use huoyan::triage::id::PictureId;
use huoyan::web::issue_login;
use jiff::SignedDuration;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// A grid has three people.
pub const GRIDS: usize = 120;
/// Of eight grids.
const WIDTH_DEG: f64 = 0.8;
/// Every fire is its own, however many come at once.
const POLICY: &str = "[policy]\nflood_per_minute = 1000\n";
/// For all counties: each makes its tables at its first start.
const UP_WITHIN: Duration = Duration::from_secs(600);

pub struct Centre {
    pub counties: Vec<String>,
    /// The running desks.
    pub desks: Vec<Desk>,
    pub nats: Nats,
    /// The database, with the right to make schemas.
    database: String,
    is_centre: bool,
    _folder: tempfile::TempDir,
}

pub struct Desk {
    pub program: Program,
    pub name: String,
    address: String,
    data: PathBuf,
    log: PathBuf,
}

impl Centre {
    /// `is_centre`: with a file for each county. Otherwise there is one county.
    pub async fn start(counties: usize, desks: usize, is_centre: bool) -> Result<Self> {
        let missing = || Error::unavailable("run it as make province does: scripts/setup test");
        let database = std::env::var("HUOYAN_TEST_POSTGRES").map_err(|_| missing())?;
        let nats = Nats::start().ok_or_else(missing)?;
        let folder = tempfile::tempdir().map_err(|e| cannot(Path::new("/tmp"), e))?;
        let counties: Vec<String> = (1..=counties).map(|n| format!("c{n:03}")).collect();
        let mut centre =
            Self { counties, desks: Vec::new(), nats, database, is_centre, _folder: folder };
        for n in 1..=desks {
            let desk = centre.desk(n)?;
            centre.desks.push(desk);
        }
        for desk in &centre.desks {
            for county in &centre.counties {
                centre.is_up(desk, county).await?;
            }
        }
        Ok(centre)
    }

    fn desk(&self, n: usize) -> Result<Desk> {
        let name = format!("desk-{n}");
        let folder = self._folder.path().join(&name);
        let data = folder.join("data");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
        let address = format!("127.0.0.1:{}", port.map_err(|e| cannot(&folder, e))?.port());
        for (place, county) in self.counties.iter().enumerate() {
            let registers = self.data_of(&data, county).join("registers");
            write_registers(&registers, GRIDS, east_deg(place));
            write(&registers.join("cameras.csv"), &edges::register(county, east_deg(place)))?;
        }
        let config = folder.join("huoyan.toml");
        if self.is_centre {
            let sections = format!(
                "[server]\npublic_url = \"http://centre.localhost\"\n[bus]\nurl = \"{}\"\n[centre]\ncounties = \"counties\"\n",
                self.nats.url()
            );
            write(&config, &sections)?;
            for county in &self.counties {
                let text = format!("[server]\npublic_url = \"http://{}\"\n{POLICY}", host(county));
                write(&folder.join("counties").join(county).with_extension("toml"), &text)?;
            }
        } else {
            let bus = cluster::bus(&self.nats.url()).replace("yuanling", &self.counties[0]);
            write(&config, &format!("{bus}{POLICY}"))?;
        }
        let log = folder.join("log");
        let errors = File::create(&log).map_err(|e| cannot(&log, e))?;
        let mut command = Command::new(binary());
        command.arg("desk").arg("--config").arg(&config).arg("--data").arg(&data);
        command.args(["--listen", &address, "--json"]);
        command.env("RUST_LOG", "huoyan=info").env("NO_COLOR", "1");
        command.env("HUOYAN_STORE_URL", &self.database).env_remove("HUOYAN_NATS_USER");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
        let program = Program(command.spawn().map_err(|e| cannot(&binary(), e))?);
        Ok(Desk { program, name, address, data, log })
    }

    fn data_of(&self, data: &Path, county: &str) -> PathBuf {
        if self.is_centre { data.join(county) } else { data.to_owned() }
    }

    /// A county that is up asks a stranger to log in.
    async fn is_up(&self, desk: &Desk, county: &str) -> Result<()> {
        let asks = || {
            let asked = client().get(format!("http://{}/api/v1/me", desk.address));
            asked.header("Host", self.host(desk, county)).send()
        };
        let up = cluster::comes_true(UP_WITHIN, async || {
            asks().await.is_ok_and(|it| it.status() == reqwest::StatusCode::UNAUTHORIZED)
        });
        if up.await {
            return Ok(());
        }
        let log = fs::read_to_string(&desk.log).unwrap_or_default();
        let end: Vec<&str> = log.lines().rev().take(5).collect();
        Err(Error::unavailable(format!("{county} is not up at {}: {end:?}", desk.name)))
    }

    fn host(&self, desk: &Desk, county: &str) -> String {
        if self.is_centre { host(county) } else { desk.address.clone() }
    }

    pub async fn store(&self, county: &str) -> Result<Store> {
        let url = match self.is_centre {
            true => format!("{}?options=-csearch_path%3D{county}", self.database),
            false => self.database.clone(),
        };
        Store::open(&url, &self._folder.path().join("reader")).await
    }

    /// The county's officer, at the desk whose turn it is.
    pub async fn officer(&self, county: &str) -> Result<Browser> {
        let number = self.counties.iter().position(|it| it == county).unwrap_or_default();
        let desk = &self.desks[number % self.desks.len()];
        let store = self.store(county).await?;
        let life = SignedDuration::from_mins(5);
        let link = issue_login(&store, &"o1".into(), Access::Officer, life, &Clock::System).await?;
        store.close().await;
        let base = format!("http://{}", desk.address);
        Ok(Browser::log_in(&base, &self.host(desk, county), &link).await)
    }

    /// Pictures that a desk lacks.
    pub fn lacks(&self, county: &str, pictures: &[PictureId]) -> usize {
        let lacks = |desk: &Desk| {
            let folder = self.data_of(&desk.data, county).join("pictures");
            pictures.iter().filter(|it| !folder.join(format!("{it}.jpg")).is_file()).count()
        };
        self.desks.iter().map(lacks).sum()
    }

    pub fn keep_logs(&self, folder: &Path) -> Result<()> {
        self.desks.iter().try_for_each(|it| {
            let kept = folder.join(&it.name).with_extension("log");
            fs::create_dir_all(folder)
                .and_then(|()| fs::copy(&it.log, &kept))
                .map(drop)
                .map_err(|e| cannot(&kept, e))
        })
    }

    /// The port of PostgreSQL.
    pub fn database_port(&self) -> String {
        let url = reqwest::Url::parse(&self.database).ok();
        url.and_then(|it| it.port()).unwrap_or(5432).to_string()
    }
}

/// The counties lie side by side.
pub fn east_deg(county: usize) -> f64 {
    WIDTH_DEG * county as f64 - 35.0
}

fn host(county: &str) -> String {
    format!("{county}.localhost")
}

fn write(file: &Path, text: &str) -> Result<()> {
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder).and_then(|()| fs::write(file, text)).map_err(|e| cannot(file, e))
}

fn cannot(path: &Path, e: std::io::Error) -> Error {
    Error::unavailable(format!("cannot use {}", path.display())).because(e)
}
