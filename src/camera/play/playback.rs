//! A small RTSP server that plays clips as if they were cameras, for the demo county, drills and
//! tests. Every client gets the clip from its start, in real time, repeated, with continuous
//! timestamps.

use crate::camera::fault::Fault;
use crate::camera::gst::pipelines::{Line, built_in};
use crate::camera::gst::template::{Outlet, fill};
use crate::camera::gst::{Pipeline, init};
use crate::error::{Error, Result};
use crate::lang::Lang;
use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSrc, AppSrcCallbacks};
use gstreamer_rtsp_server as rtsp;
use gstreamer_rtsp_server::prelude::*;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

/// The role of a client without a password.
const ANYBODY: &str = "anybody";

/// One clip to be served as a camera.
#[derive(Clone, Debug)]
pub struct Clip {
    /// `/north-ridge`
    pub path_on_server: String,
    /// H.264 or H.265 in mp4, mkv or a bare byte stream. Its compressed bytes are kept in memory
    /// once for all clients.
    pub file: PathBuf,
    /// Who may watch; None: anybody.
    pub user_password: Option<(String, String)>,
}

/// A running server; dropping it disconnects every client and frees the port.
pub struct Playback {
    address: SocketAddr,
    paths: Vec<String>,
    main_loop: glib::MainLoop,
    thread: Option<JoinHandle<()>>,
}

impl Playback {
    /// Port 0 takes a free one. Error: a clip that cannot be read, or a port that is taken.
    pub fn start(listen: SocketAddr, clips: Vec<Clip>) -> Result<Self> {
        init()?;
        let context = glib::MainContext::new();
        let main_loop = glib::MainLoop::new(Some(&context), false);
        let server = rtsp::RTSPServer::new();
        server.set_address(&listen.ip().to_string());
        server.set_service(&listen.port().to_string());
        let mounts = server
            .mount_points()
            .ok_or_else(|| Error::internal("an RTSP server without mount points"))?;
        let users: BTreeSet<_> =
            clips.iter().filter_map(|clip| clip.user_password.clone()).collect();
        if !users.is_empty() {
            server.set_auth(Some(&guard(&users)));
        }
        for clip in &clips {
            let reel = Arc::new(Reel::read(&clip.file)?);
            mounts.add_factory(&clip.path_on_server, factory(&reel, clip, &users));
        }
        let attached = server.attach(Some(&context));
        let source = attached.map_err(|e| {
            Error::unavailable(format!(
                "the demo cameras cannot listen on {listen}; is the port in use?"
            ))
            .because(e)
        })?;
        let port = u16::try_from(server.bound_port()).unwrap_or(listen.port());
        let running = main_loop.clone();
        let thread = std::thread::Builder::new().name("playback".to_owned()).spawn(move || {
            running.run();
            if let Some(source) = context.find_source_by_id(&source) {
                source.destroy();
            }
            server.client_filter(Some(&mut |_, _| rtsp::RTSPFilterResult::Remove));
        });
        let thread = thread
            .map_err(|e| Error::unavailable("cannot start the playback thread").because(e))?;
        let paths = clips.into_iter().map(|clip| clip.path_on_server).collect();
        Ok(Self {
            address: SocketAddr::new(listen.ip(), port),
            paths,
            main_loop,
            thread: Some(thread),
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the clip at `index`, without its password.
    pub fn url(&self, index: usize) -> Option<String> {
        self.paths.get(index).map(|path| format!("rtsp://{}{path}", self.address))
    }
}

impl Drop for Playback {
    fn drop(&mut self) {
        // `quit()` is not called directly: a loop that has not begun to run would miss it.
        let main_loop = self.main_loop.clone();
        let quit = glib::source::idle_source_new(None, glib::Priority::DEFAULT, move || {
            main_loop.quit();
            glib::ControlFlow::Break
        });
        quit.attach(Some(&self.main_loop.context()));
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the playback thread had panicked");
        }
    }
}

/// A clip's compressed pictures in sending order, shared by all its viewers.
struct Reel {
    caps: gst::Caps,
    payloader: &'static str,
    units: Vec<gst::Buffer>,
    length: gst::ClockTime,
}

impl Reel {
    fn read(file: &Path) -> Result<Self> {
        let refuse = |why: &str| Error::invalid(format!("{}: {why}", file.display()));
        let path = file.to_str().ok_or_else(|| refuse("its name is not UTF-8"))?;
        let text = built_in("file").unwrap_or_default();
        let line = Line {
            name: "file".to_owned(),
            text: fill(text, &[("path", path)])?,
            outlet: Outlet::Keyframes,
        };
        let unreadable = |fault: Fault| Error::invalid(fault.sentence(path, Lang::En));
        let (pipeline, sink) = Pipeline::open(&line).map_err(unreadable)?;
        sink.set_property("sync", false);
        pipeline.play().map_err(unreadable)?;
        let (units, caps) = pull_all(&sink, &pipeline).map_err(unreadable)?;
        let caps = caps.ok_or_else(|| refuse("no H.264 or H.265 video in it"))?;
        let payloader = match caps.structure(0).map(|s| s.name().as_str()) {
            Some("video/x-h264") => "rtph264pay",
            Some("video/x-h265") => "rtph265pay",
            _ => return Err(refuse("only H.264 and H.265 can be played")),
        };
        let start = units.iter().filter_map(|unit| unit.dts_or_pts()).min();
        let end = units
            .iter()
            .filter_map(|unit| Some(unit.dts_or_pts()? + unit.duration().unwrap_or_default()))
            .max();
        let length =
            end.zip(start).map(|(end, start)| end - start).filter(|length| !length.is_zero());
        let length = length.ok_or_else(|| refuse("its pictures have no timestamps"))?;
        Ok(Self { caps, payloader, units, length })
    }

    /// The `n`th unit of the endless repetition: the same bytes with a later time.
    fn unit(&self, n: usize) -> gst::Buffer {
        let (round, index) = (n / self.units.len(), n % self.units.len());
        let later = self.length * round as u64;
        let mut unit = self.units[index].clone();
        let copy = unit.make_mut();
        copy.set_pts(copy.pts().map(|pts| pts + later));
        copy.set_dts(copy.dts().map(|dts| dts + later));
        unit
    }
}

fn pull_all(
    sink: &AppSink,
    pipeline: &Pipeline,
) -> Result<(Vec<gst::Buffer>, Option<gst::Caps>), Fault> {
    let (mut units, mut caps) = (Vec::new(), None);
    loop {
        if let Some(sample) = sink.try_pull_sample(gst::ClockTime::from_mseconds(50)) {
            units.extend(sample.buffer_owned());
            caps = caps.or_else(|| sample.caps_owned());
        } else if let Some(fault) = pipeline.take_error() {
            return Err(fault);
        } else if sink.is_eos() {
            return Ok((units, caps));
        }
    }
}

fn factory(
    reel: &Arc<Reel>,
    clip: &Clip,
    users: &BTreeSet<(String, String)>,
) -> rtsp::RTSPMediaFactory {
    let factory = rtsp::RTSPMediaFactory::new();
    // 64 units are two or three seconds: enough to keep the sender busy, and little memory.
    factory.set_launch(&format!(
        "( appsrc name=clip format=time max-buffers=64 max-bytes=0 ! {} name=pay0 pt=96 \
        config-interval=-1 )",
        reel.payloader
    ));
    factory.set_shared(false); // shared media starved some clients in measurements, and each should see the start
    factory.set_protocols(rtsp::gst_rtsp::RTSPLowerTrans::TCP);
    let reel = Arc::clone(reel);
    factory.connect_media_configure(move |_, media| {
        let source =
            media.element().downcast::<gst::Bin>().ok().and_then(|bin| bin.by_name("clip"));
        let Some(source) = source.and_then(|element| element.downcast::<AppSrc>().ok()) else {
            return;
        };
        source.set_caps(Some(&reel.caps));
        let (reel, mut n) = (Arc::clone(&reel), 0);
        let need_data = move |source: &AppSrc, _: u32| {
            // Refused when the client is gone and needs no data any more.
            let _ = source.push_buffer(reel.unit(n));
            n += 1;
        };
        source.set_callbacks(AppSrcCallbacks::builder().need_data(need_data).build());
    });
    // Everybody may see that a stream exists. A request without its password then gets a 401, as
    // from a camera.
    let may = |role: &str, watch: bool| {
        let rights = gst::Structure::builder(role)
            .field("media.factory.access", true)
            .field("media.factory.construct", watch);
        factory.add_role_from_structure(&rights.build());
    };
    may(ANYBODY, clip.user_password.is_none());
    for (index, user) in users.iter().enumerate() {
        may(&role(index), clip.user_password.as_ref().is_none_or(|owner| owner == user));
    }
    factory
}

fn role(index: usize) -> String {
    format!("user{index}")
}

fn guard(users: &BTreeSet<(String, String)>) -> rtsp::RTSPAuth {
    let token = |role: &str| rtsp::RTSPToken::builder().field("media.factory.role", role).build();
    let auth = rtsp::RTSPAuth::new();
    auth.set_supported_methods(rtsp::gst_rtsp::RTSPAuthMethod::Digest);
    for (index, (user, password)) in users.iter().enumerate() {
        auth.add_digest(user, password, &token(&role(index)));
    }
    auth.set_default_token(Some(&mut token(ANYBODY)));
    auth
}
