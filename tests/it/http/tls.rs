//! The pages over TLS: a real client, certificates of a county's own authority, renewals while the
//! program runs, and peers that never finish their handshake.

use super::program::huoyan;
use crate::http_support::{Server, World};
use huoyan::clock::Clock;
use huoyan::config::Config;
use huoyan::lang::Lang;
use huoyan::store::Access;
use huoyan::web::tls::{Keeper, Renewal};
use huoyan::web::{self, Network};
use jiff::{SignedDuration, Timestamp};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const NAME: &str = "huoyan.county.example";
const SOON: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(300);

/// A county's own authority, whom its phones trust.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
}

/// A certificate and its key, as PEM.
struct Issued {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let root = params.self_signed(&key).expect("a root").der().clone();
        Self { issuer: Issuer::new(params, key), root }
    }

    fn issues(&self, name: &str, years: [i32; 2]) -> Issued {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        [params.not_before, params.not_after] = years.map(|year| date_time_ymd(year, 1, 1));
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed").pem();
        Issued { certificate, key: key.serialize_pem() }
    }

    async fn phone_opens(
        &self,
        address: SocketAddr,
        name: &str,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).expect("a root");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.expect("versions").with_root_certificates(roots).with_no_client_auth();
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let socket = TcpStream::connect(address).await?;
        timeout(SOON, TlsConnector::from(Arc::new(config)).connect(name, socket))
            .await
            .expect("a handshake in time")
    }

    /// The certificate that new connections get.
    async fn shown(&self, address: SocketAddr) -> CertificateDer<'static> {
        let stream = self.phone_opens(address, NAME).await.expect("trusted");
        stream.get_ref().1.peer_certificates().expect("certificates")[0].clone().into_owned()
    }
}

/// The folder with both files.
struct Files(tempfile::TempDir);

impl Files {
    fn of(issued: &Issued) -> Self {
        let files = Self(tempfile::tempdir().expect("a folder"));
        files.write(issued);
        files
    }

    fn certificate(&self) -> PathBuf {
        self.0.path().join("cert.pem")
    }

    fn key(&self) -> PathBuf {
        self.0.path().join("key.pem")
    }

    fn write(&self, issued: &Issued) {
        fs::write(self.certificate(), &issued.certificate).expect("written");
        fs::write(self.key(), &issued.key).expect("written");
    }

    fn config(&self) -> Config {
        Config::parse(&self.text(NAME)).expect("valid")
    }

    fn text(&self, name: &str) -> String {
        let (certificate, key) = (self.certificate(), self.key());
        format!(
            "[server]\npublic_url = \"https://{name}\"\ncertificate = {certificate:?}\nkey = \
            {key:?}\n"
        )
    }

    fn keeper(&self) -> Keeper {
        Keeper::open(&self.config().server, Lang::En).expect("usable").expect("configured")
    }
}

/// Serves over TLS with this pair.
async fn server(world: &World, keeper: &Keeper, network: Network) -> Server {
    Server::of(world.state.clone().with_network(network).with_tls(keeper.tls())).await
}

async fn asks(stream: &mut TlsStream<TcpStream>, request: &str) -> String {
    stream.write_all(format!("{request}\r\nHost: {NAME}\r\n\r\n").as_bytes()).await.expect("sent");
    let mut buffer = vec![0; 65_536];
    let read = timeout(SOON, stream.read(&mut buffer)).await.expect("in time").expect("an answer");
    String::from_utf8_lossy(&buffer[..read]).into_owned()
}

fn today() -> Timestamp {
    Clock::System.now()
}

/// The second look that finds the same files judges them.
fn looks_twice(keeper: &mut Keeper, now: Timestamp) -> Renewal {
    assert_eq!(keeper.look(now), Renewal::Same, "the other file may be under way");
    keeper.look(now)
}

#[tokio::test]
async fn a_phone_that_trusts_the_issuer_logs_in_over_tls_and_gets_a_cookie_for_nothing_else() {
    let (mut world, authority) = (World::new().await, Authority::new());
    let files = Files::of(&authority.issues(NAME, [2020, 2090]));
    world.state.config = Arc::new(files.config());
    let server = server(&world, &files.keeper(), Network::default()).await;
    let life = SignedDuration::from_mins(15);
    let path =
        web::issue_login(&world.state.store, &"r1".into(), Access::Ranger, life, &world.clock)
            .await;
    let mut phone = authority.phone_opens(server.address, NAME).await.expect("trusted");
    let entered =
        asks(&mut phone, &format!("POST {} HTTP/1.1\r\nContent-Length: 0", path.expect("a link")))
            .await;
    assert!(
        entered.starts_with("HTTP/1.1 303")
            && entered.contains("set-cookie: __Host-huoyan_session="),
        "{entered}"
    );
    assert!(
        entered.contains("; Secure") && entered.contains("strict-transport-security: "),
        "{entered}"
    );
    assert!(
        asks(&mut phone, "GET /healthz HTTP/1.1").await.ends_with("ok"),
        "on the same connection"
    );

    let stranger = Authority::new().phone_opens(server.address, NAME).await;
    assert!(stranger.is_err(), "a phone that does not know the issuer refuses");
    let mut plain = TcpStream::connect(server.address).await.expect("connects");
    plain.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    let mut heard = Vec::new();
    let ended = timeout(SOON, plain.read_to_end(&mut heard)).await.expect("ended");
    assert!(
        ended.is_err() || !String::from_utf8_lossy(&heard).contains("HTTP"),
        "nothing is said in the clear"
    );
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_without_a_restart_and_without_breaking_off() {
    let (world, authority) = (World::new().await, Authority::new());
    let files = Files::of(&authority.issues(NAME, [2020, 2090]));
    let mut keeper = files.keeper();
    let server = server(&world, &keeper, Network::default()).await;
    let mut talking = authority.phone_opens(server.address, NAME).await.expect("trusted");
    let first = authority.shown(server.address).await;
    assert_eq!(keeper.look(today()), Renewal::Same, "nothing has changed");

    let renewed = authority.issues(NAME, [2021, 2091]);
    fs::write(files.certificate(), &renewed.certificate).expect("written");
    assert_eq!(keeper.look(today()), Renewal::Same, "its key is still to come");
    fs::write(files.key(), &renewed.key).expect("written");
    assert_eq!(looks_twice(&mut keeper, today()), Renewal::Taken);
    assert!(keeper.trouble(today()).is_none());
    assert_ne!(authority.shown(server.address).await, first);
    assert!(
        asks(&mut talking, "GET /healthz HTTP/1.1").await.contains("200 OK"),
        "who was connected stays so"
    );
}

#[tokio::test]
async fn a_pair_that_phones_would_refuse_is_named_and_the_old_one_stays() {
    let (world, authority) = (World::new().await, Authority::new());
    let good = authority.issues(NAME, [2020, 2090]);
    let files = Files::of(&good);
    let mut keeper = files.keeper();
    let server = server(&world, &keeper, Network::default()).await;
    let first = authority.shown(server.address).await;
    let broken = |certificate: &str, key: &str| Issued {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
    };
    let other = authority.issues(NAME, [2020, 2090]);
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE \
        KEY-----\n";
    for (pair, words) in [
        (broken(&other.certificate, &good.key), "is not that of the first certificate"),
        (broken("", &good.key), "holds no certificate"),
        (broken(garbage, &good.key), "cannot be used"),
        (broken(&good.certificate, ""), "holds no unencrypted private key"),
        (broken(&good.certificate, locked), "openssl pkey"),
        (authority.issues(NAME, [2020, 2021]), "expired on 2021-01-01"),
        (authority.issues(NAME, [2080, 2090]), "valid from 2080-01-01"),
        (authority.issues("fire.county.example", [2020, 2090]), "is not for huoyan.county.example"),
    ] {
        files.write(&pair);
        assert_eq!(looks_twice(&mut keeper, today()), Renewal::Refused, "{words}");
        let said = keeper.trouble(today()).expect("trouble").words(Lang::En);
        assert!(said.contains(words) && said.contains("the old pair stays"), "{said}");
        assert_eq!(authority.shown(server.address).await, first, "{words}");
        assert_eq!(keeper.look(today()), Renewal::Same, "said once");
    }
    fs::remove_file(files.key()).expect("removed");
    assert_eq!(looks_twice(&mut keeper, today()), Renewal::Refused);
    assert!(keeper.trouble(today()).expect("trouble").words(Lang::Zh).contains("读不出来"));

    files.write(&other);
    assert_eq!(looks_twice(&mut keeper, today()), Renewal::Taken, "put right");
    assert!(keeper.trouble(today()).is_none());
}

#[test]
fn a_certificate_near_its_end_is_said_while_there_is_time() {
    let authority = Authority::new();
    let keeper = Files::of(&authority.issues(NAME, [2025, 2027])).keeper();
    let said = |day: &str| {
        let now = format!("{day}T04:00:00Z").parse().expect("a time");
        keeper.trouble(now).map(|trouble| trouble.words(Lang::En))
    };
    assert_eq!(said("2026-12-01"), None);
    let near = said("2026-12-20").expect("soon");
    assert!(near.contains("2027-01-01") && near.contains("in 11 days"), "{near}");
    assert!(said("2027-01-02").expect("over").contains("expired"));
}

#[test]
fn a_start_with_an_unusable_pair_is_refused_and_one_that_has_only_expired_is_not() {
    let authority = Authority::new();
    let files = Files::of(&authority.issues(NAME, [2020, 2021]));
    assert!(
        files.keeper().trouble(today()).is_some(),
        "cameras and the office's own people need it all the same"
    );
    let other = authority.issues(NAME, [2020, 2090]);
    fs::write(files.key(), other.key).expect("written");
    let refused = Keeper::open(&files.config().server, Lang::En).err().expect("refused");
    assert!(
        refused.message.contains("is not that of the first certificate"),
        "{}",
        refused.message
    );
}

#[tokio::test]
async fn whoever_never_finishes_the_handshake_is_let_go_and_takes_nobodys_place() {
    let (world, authority) = (World::new().await, Authority::new());
    let files = Files::of(&authority.issues(NAME, [2020, 2090]));
    let (keeper, connections) = (files.keeper(), 20);
    let patient = server(&world, &keeper, Network { connections, ..Network::default() }).await;
    let mut silent = Vec::new();
    for _ in 0..60 {
        silent.push(TcpStream::connect(patient.address).await.expect("connects"));
    }
    let mut phone = authority.phone_opens(patient.address, NAME).await.expect("there is a place");
    assert!(asks(&mut phone, "GET /healthz HTTP/1.1").await.contains("200 OK"));

    let hasty =
        server(&world, &keeper, Network { header_within: TICK, ..Network::default() }).await;
    let near = |begun: Instant| {
        let took = begun.elapsed();
        assert!(took >= TICK / 2 && took < 4 * TICK, "{took:?}");
    };
    let ended = async |stream: &mut TcpStream| {
        timeout(SOON, stream.read(&mut [0; 64])).await.expect("ended")
    };
    let (begun, mut quiet) =
        (Instant::now(), TcpStream::connect(hasty.address).await.expect("connects"));
    drop(ended(&mut quiet).await);
    near(begun);
    let (begun, mut half) =
        (Instant::now(), TcpStream::connect(hasty.address).await.expect("connects"));
    // The head of a ClientHello of 512 bytes.
    half.write_all(&[22, 3, 1, 2, 0, 1, 0, 1, 252]).await.expect("sent");
    drop(ended(&mut half).await);
    near(begun);
    let mut greeted = authority.phone_opens(hasty.address, NAME).await.expect("trusted");
    let begun = Instant::now();
    drop(timeout(SOON, greeted.read(&mut [0; 64])).await.expect("ended"));
    near(begun);

    let begun = Instant::now();
    let stopping = server(&world, &keeper, Network::default()).await;
    let _quiet = TcpStream::connect(stopping.address).await.expect("connects");
    tokio::time::interval_at(tokio::time::Instant::now() + TICK, TICK).tick().await;
    stopping.stop.send(()).expect("still running");
    timeout(SOON, stopping.done).await.expect("stops").expect("no panic").expect("fine");
    assert!(
        begun.elapsed() < 2 * Duration::from_secs(1),
        "a stop does not wait for it: {:?}",
        begun.elapsed()
    );
}

/// A running program; dies with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// On a port that was free a moment ago.
fn run(data: &Path, config: &Path) -> (Running, SocketAddr) {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|it| it.local_addr())
        .expect("a free port");
    let mut command = huoyan(data);
    command.arg("--config").arg(config).args(["run", "--listen", &free.to_string()]);
    (
        Running(
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("huoyan starts"),
        ),
        free,
    )
}

#[tokio::test]
async fn the_program_takes_a_renewed_pair_within_a_minute_and_links_lead_to_its_https_address() {
    let authority = Authority::new();
    let (files, folder) =
        (Files::of(&authority.issues(NAME, [2020, 2090])), tempfile::tempdir().expect("a folder"));
    let (data, config) = (folder.path().join("data"), folder.path().join("huoyan.toml"));
    fs::write(&config, files.text(NAME)).expect("the configuration");
    let people = folder.path().join("people.csv");
    fs::write(&people, "编号,姓名,电话,岗位\no1,孙县,13600000002,县值班员\n").expect("people");
    let imported =
        huoyan(&data).arg("import").arg("people").arg(&people).output().expect("imports");
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    let (_program, address) = run(&data, &config);
    let up = async {
        while TcpStream::connect(address).await.is_err() {
            Clock::System.sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(30), up).await.expect("up within 30 s");
    let first = authority.shown(address).await;

    // Without the configuration: the data folder says where it is.
    let link =
        huoyan(&data).args(["user", "enrol", "o1", "--role", "officer"]).output().expect("runs");
    let link = String::from_utf8_lossy(&link.stdout).into_owned();
    assert!(link.starts_with(&format!("https://{NAME}/login/")), "{link}");

    files.write(&authority.issues(NAME, [2021, 2091]));
    let taken = async {
        while authority.shown(address).await == first {
            Clock::System.sleep(Duration::from_millis(500)).await;
        }
    };
    timeout(Duration::from_secs(60), taken).await.expect("taken within a minute");
}

#[test]
fn plain_http_for_the_network_is_refused_at_the_start_and_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let run = huoyan(&data)
        .args(["run", "--listen", "0.0.0.0:0"])
        .env("LANG", "en_US.UTF-8")
        .output()
        .expect("runs");
    let words = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(2), "{words}");
    for word in ["0.0.0.0:0", "certificate", "127.0.0.1", "plain_http = \"anywhere\""] {
        assert!(words.contains(word), "{word} in {words}");
    }
    assert!(!data.exists(), "nothing was begun");
}
