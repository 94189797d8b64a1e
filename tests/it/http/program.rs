//! The real program: which files it leaves on the disk, and how it ends.

use huoyan::clock::Clock;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

struct Program {
    child: Child,
    address: String,
    links: Value,
}

impl Program {
    /// One officer in the register, no cameras.
    fn start(folder: &Path) -> Self {
        let data = folder.join("data");
        let import = folder.join("people.csv");
        std::fs::write(&import, "编号,姓名,电话,岗位\no1,孙县,13600000002,县值班员\n")
            .expect("people");
        let done =
            huoyan(&data).arg("import").arg("people").arg(&import).output().expect("imports");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|it| it.local_addr())
            .expect("a free port")
            .port();
        let address = format!("127.0.0.1:{port}");
        let mut command = huoyan(&data);
        command
            .args(["run", "--listen", &address, "--json", "--links"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("huoyan starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("links");
        let program = Self {
            child,
            address,
            links: serde_json::from_str(&line).expect("login links as JSON"),
        };
        let mut up = program.says("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        up.read_to_end(&mut Vec::new()).expect("it serves");
        program
    }

    fn says(&self, words: &str) -> TcpStream {
        let mut socket = TcpStream::connect(&self.address).expect("connects");
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        socket.write_all(words.as_bytes()).expect("sent");
        socket
    }

    fn cookie(&self) -> String {
        let link = self.links["office"].as_str().expect("a link");
        let path = &link[link.find("/login/").expect("a login link")..];
        let mut socket =
            self.says(&format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"));
        let mut buffer = [0; 4096];
        let read = socket.read(&mut buffer).expect("an answer");
        let head = String::from_utf8_lossy(&buffer[..read]).into_owned();
        let cookie =
            head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a session");
        cookie.split(';').next().expect("a pair").to_owned()
    }

    fn signal(&self, name: &str) {
        let done =
            Command::new("kill").args([name, &self.child.id().to_string()]).status().expect("kill");
        assert!(done.success());
    }

    /// How it ended, and after how long.
    fn ends(&mut self) -> (Option<i32>, Duration) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return (status.code(), begun.elapsed());
            }
            Clock::System.sleep_blocking(Duration::from_millis(20));
        }
        panic!("still running");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already, as intended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn huoyan(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_huoyan"));
    command
        .arg("--data")
        .arg(data)
        .env("RUST_LOG", "error")
        .env_remove("HUOYAN_STORE_URL")
        .stdin(Stdio::null());
    command
}

#[test]
fn a_stop_waits_for_a_photo_under_way_and_a_second_signal_for_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut program = Program::start(folder.path());
    let photo = format!(
        "POST /api/v1/incidents/01890000-0000-7000-8000-000000000000/photos HTTP/1.1\r\nHost: \
        x\r\nCookie: {}\r\n\
         Content-Type: image/jpeg\r\nIdempotency-Key: 01890000-0000-7000-8000-000000000001\r\n\
         Content-Length: 300000\r\n\r\nabc",
        program.cookie()
    );
    let _photo = program.says(&photo);
    let _half = program.says("GET / HTTP/1.1\r\nHost: x\r\nX-A: ");
    Clock::System.sleep_blocking(Duration::from_millis(500));
    program.signal("-TERM");
    Clock::System.sleep_blocking(Duration::from_millis(500));
    assert!(program.child.try_wait().expect("a child").is_none(), "the photo may still come");
    program.signal("-INT");
    let (code, took) = program.ends();
    assert_eq!(code, Some(130), "the code of the second signal");
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn what_it_writes_is_its_owners_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut program = Program::start(folder.path());
    program.signal("-TERM");
    assert_eq!(program.ends().0, Some(0));
    let mut looked_at = Vec::new();
    let mut rest = vec![folder.path().join("data")];
    while let Some(path) = rest.pop() {
        let it = std::fs::metadata(&path).expect("readable");
        assert_eq!(it.mode() & 0o077, 0, "{} {:o}", path.display(), it.mode());
        looked_at.push(path.file_name().expect("a name").to_string_lossy().into_owned());
        if it.is_dir() {
            rest.extend(
                std::fs::read_dir(&path)
                    .expect("a folder")
                    .map(|entry| entry.expect("an entry").path()),
            );
        }
    }
    for name in ["data", "huoyan.db", "registers", "people.csv", "pictures", "admin.token"] {
        assert!(looked_at.iter().any(|seen| seen == name), "{name} in {looked_at:?}");
    }
}

#[test]
fn a_login_link_leads_to_the_address_that_is_served_and_a_village_has_a_day_to_open_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut program = Program::start(folder.path());
    let enrol = |role: &str| {
        let mut command = huoyan(&folder.path().join("data"));
        let output = command
            .args(["user", "enrol", "o1", "--role", role])
            .env("LANG", "en_US.UTF-8")
            .output();
        let output = output.expect("runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr))
    };
    let (link, words) = enrol("ranger");
    assert!(link.starts_with(&format!("http://{}/login/", program.address)), "{link}");
    assert!(words.contains("valid for 24 hours") && !words.contains("does not run"), "{words}");
    assert!(enrol("officer").1.contains("valid for 15 minutes"), "it shows every phone number");
    program.signal("-TERM");
    assert_eq!(program.ends().0, Some(0));
    let (link, words) = enrol("ranger");
    assert!(
        link.starts_with("http://127.0.0.1:8131/login/") && words.contains("does not run"),
        "{link} {words}"
    );
}

#[test]
fn the_command_line_lists_who_is_logged_in_and_ends_it_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::start(folder.path());
    let cookie = program.cookie();
    let me = || {
        let request = format!(
            "GET /api/v1/me HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
        );
        let mut answer = String::new();
        program.says(&request).read_to_string(&mut answer).expect("an answer");
        answer[9..12].to_owned()
    };
    let user = |words: &[&str]| {
        let output =
            huoyan(&folder.path().join("data")).arg("user").args(words).output().expect("runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    assert_eq!(me(), "200");
    let (code, listed, _) = user(&["sessions", "--json"]);
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let row = &listed[0];
    assert_eq!(
        (code, &row["person"], &row["role"], &row["valid"]),
        (Some(0), &"o1".into(), &"officer".into(), &true.into())
    );
    assert!(["since", "last_seen", "ends"].iter().all(|key| row[key].is_string()), "{row}");
    assert!(user(&["sessions"]).1.starts_with("o1 "), "for people too");

    let (code, _, complaint) = user(&["disable", "NOBODY"]);
    assert_eq!(code, Some(2));
    assert!(complaint.contains("NOBODY") && complaint.contains("huoyan user list"), "{complaint}");
    let (code, said, _) = user(&["disable", "o1", "--json"]);
    assert_eq!(
        (code, serde_json::from_str::<Value>(&said).expect("JSON")["sessions"].as_u64()),
        (Some(0), Some(1))
    );
    assert_eq!(me(), "401", "out at the next request");
    assert_eq!(user(&["sessions", "--json"]).1.trim(), "[]");
    assert_eq!(user(&["enrol", "NOBODY", "--role", "ops"]).0, Some(2));
}

/// A dry run may be made by anybody at any time, also while the program is off.
#[test]
fn a_dry_run_of_an_import_leaves_no_trace() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, sheet) = (folder.path().join("data"), folder.path().join("people.csv"));
    std::fs::write(&sheet, "编号,姓名,电话,岗位\no1,孙县,13600000002,县值班员\n").expect("people");
    let import = |dry_run: &[&str]| {
        let mut command = huoyan(&data);
        let done = command.args(["import", "people"]).arg(&sheet).args(dry_run).arg("--json");
        let done = done.output().expect("imports");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice::<Value>(&done.stdout).expect("a report")["diff"].clone()
    };
    assert_eq!(import(&["--dry-run"])["added"], serde_json::json!(["o1"]));
    assert!(!data.exists(), "nothing is created");

    import(&[]);
    std::fs::write(&sheet, "编号,姓名,电话,岗位\no1,孙县,13600000009,县值班员\n").expect("people");
    let file = data.join("registers/people.csv");
    std::fs::write(&file, "编号,姓名,电话,岗位\no1,孙某,13600000002,县值班员\n").expect("edited");
    let read = || {
        ["huoyan.db", "registers/people.csv", "registers/.taken.json"]
            .map(|name| std::fs::read(data.join(name)).expect("there"))
    };
    let before = read();
    assert_eq!(import(&["--dry-run"])["changed"][0]["key"], "o1");
    assert!(read() == before, "nothing is changed");
}
