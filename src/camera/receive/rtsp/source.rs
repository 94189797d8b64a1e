//! The GStreamer element: settings in, keyframes out on its one pad. A live source: it connects on
//! the way to PLAYING and disconnects on the way back.

use gstreamer as gst;
use gstreamer::glib;

glib::wrapper! {
    pub struct RtspSource(ObjectSubclass<imp::RtspSource>) @extends gst::Element, gst::Object;
}

mod imp {
    use crate::camera::fault::Fault;
    use crate::camera::gst::details_of;
    use crate::camera::receive::rtsp::leaves;
    use crate::camera::receive::rtsp::session::{Call, Codec, Unit, Video, play};
    use crate::camera::receive::runtime::runtime;
    use gstreamer as gst;
    use gstreamer::glib;
    use gstreamer::prelude::*;
    use gstreamer::subclass::prelude::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
    use std::time::Duration;
    use tokio::sync::Notify;
    use tokio::task::JoinHandle;

    /// The limit of `rtspsrc tcp-timeout=5000000`. A camera on a 4G bridge answers within 2 s.
    const ANSWER_MS: u32 = 5_000;

    /// Longer than the office's own limit (`offline_after`), whose message is clearer.
    const SILENT_MS: u32 = 90_000;

    /// A stopped session may take this long for TEARDOWN. Cameras answer within one round trip.
    const GOODBYE: Duration = Duration::from_millis(500);

    #[derive(glib::Properties)]
    #[properties(wrapper_type = super::RtspSource)]
    pub struct RtspSource {
        /// `rtsp://host[:port]/path`, without login.
        #[property(name = "location", get, set, type = String, member = location)]
        #[property(name = "user-id", get, set, type = String, member = user)]
        // Write-only properties: they hold the login.
        #[property(name = "user-pw", set, type = String, member = password)]
        #[property(name = "answer-timeout-ms", get, set, type = u32, member = answer_ms, default = ANSWER_MS)]
        #[property(name = "silence-timeout-ms", get, set, type = u32, member = silent_ms, default = SILENT_MS)]
        settings: Mutex<Settings>,
        /// Whole pictures received since the element was made, keyframes or not.
        #[property(name = "units", get = |this: &Self| this.units.load(Ordering::Relaxed), type = u64)]
        units: AtomicU64,
        pad: gst::Pad,
        running: Mutex<Option<Running>>,
    }

    struct Settings {
        location: String,
        user: String,
        password: String,
        answer_ms: u32,
        silent_ms: u32,
    }

    struct Running {
        stop: Arc<Notify>,
        session: JoinHandle<()>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for RtspSource {
        const NAME: &'static str = "HuoyanRtspSource";
        type Type = super::RtspSource;
        type ParentType = gst::Element;

        fn with_class(_class: &Self::Class) -> Self {
            let settings = Settings {
                location: String::new(),
                user: String::new(),
                password: String::new(),
                answer_ms: ANSWER_MS,
                silent_ms: SILENT_MS,
            };
            let pad = gst::Pad::builder_from_template(&TEMPLATES[0]).query_function(query).build();
            Self {
                settings: settings.into(),
                units: AtomicU64::new(0),
                pad,
                running: Mutex::new(None),
            }
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for RtspSource {
        fn constructed(&self) {
            self.parent_constructed();
            self.obj().set_element_flags(gst::ElementFlags::SOURCE);
            self.obj().add_pad(&self.pad).expect("a new element has no pads yet");
        }
    }

    impl GstObjectImpl for RtspSource {}

    static TEMPLATES: LazyLock<[gst::PadTemplate; 1]> = LazyLock::new(|| {
        let mut caps = gst::Caps::new_empty();
        for codec in [Codec::H264, Codec::H265] {
            caps.merge(byte_stream(codec).build());
        }
        let template =
            gst::PadTemplate::new("src", gst::PadDirection::Src, gst::PadPresence::Always, &caps);
        [template.expect("a template of fixed caps")]
    });

    impl ElementImpl for RtspSource {
        fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
            static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
                gst::subclass::ElementMetadata::new(
                    "RTSP keyframe source",
                    "Source/Network",
                    "H.264 and H.265 keyframes of an RTSP camera over TCP",
                    "Huoyan",
                )
            });
            Some(&METADATA)
        }

        fn pad_templates() -> &'static [gst::PadTemplate] {
            &*TEMPLATES
        }

        fn change_state(
            &self,
            transition: gst::StateChange,
        ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
            if transition == gst::StateChange::PlayingToPaused {
                self.stop();
            }
            let success = self.parent_change_state(transition)?;
            match transition {
                gst::StateChange::ReadyToPaused | gst::StateChange::PlayingToPaused => {
                    Ok(gst::StateChangeSuccess::NoPreroll)
                }
                gst::StateChange::PausedToPlaying => self.start().map(|()| success),
                _ => Ok(success),
            }
        }
    }

    impl RtspSource {
        fn start(&self) -> Result<(), gst::StateChangeError> {
            let runtime = runtime().map_err(|_| {
                gst::element_imp_error!(
                    self,
                    gst::ResourceError::Failed,
                    ("no threads can be started for RTSP")
                );
                gst::StateChangeError
            })?;
            let stop = Arc::new(Notify::new());
            let stopped = Arc::clone(&stop);
            let call = self.call();
            let group = Arc::clone(&call.group);
            let source = self.ref_counted();
            let session = runtime.spawn(async move {
                source.open();
                let mut shown = None;
                let playing = source.catch_panic_future(|| (), async {
                    let fault = play(call, |unit| source.take(unit, &mut shown)).await;
                    source.report(&fault);
                });
                tokio::select! {
                    biased;
                    () = stopped.notified() => {}
                    () = playing => {}
                }
                // The session has ended and its TEARDOWN is sent. Whether the camera answers does
                // not matter.
                let _ = tokio::time::timeout(GOODBYE, group.await_teardown()).await;
            });
            *lock(&self.running) = Some(Running { stop, session });
            Ok(())
        }

        fn stop(&self) {
            if let Some(running) = lock(&self.running).take() {
                running.stop.notify_one();
                leaves(running.session);
            }
        }

        fn call(&self) -> Call {
            let settings = lock(&self.settings);
            let login = (settings.user.clone(), settings.password.clone());
            Call {
                url: settings.location.clone(),
                login: Some(login).filter(|(user, _)| !user.is_empty()),
                answer_within: Duration::from_millis(settings.answer_ms.into()),
                silent_for: Duration::from_millis(settings.silent_ms.into()),
                group: Arc::default(),
            }
        }

        /// Sends the events that every stream begins with.
        fn open(&self) {
            let id = self.pad.create_stream_id(&*self.obj(), None);
            self.pad.push_event(gst::event::StreamStart::new(&id));
        }

        fn take(&self, unit: Unit, shown: &mut Option<Video>) {
            if !matches!(unit, Unit::Malformed) {
                self.units.fetch_add(1, Ordering::Relaxed);
            }
            let (video, bytes) = match unit {
                Unit::Keyframe(video, bytes) => (video, bytes),
                Unit::Delta => return,
                Unit::Malformed => {
                    return metrics::counter!("huoyan_packets_malformed_total").increment(1);
                }
            };
            if shown.is_none_or(|before| before != video) {
                let size = |size: u32| i32::try_from(size).unwrap_or(i32::MAX);
                let caps = byte_stream(video.codec).field("width", size(video.width));
                self.pad.push_event(gst::event::Caps::new(
                    &caps.field("height", size(video.height)).build(),
                ));
                if shown.is_none() {
                    self.pad.push_event(gst::event::Segment::new(&gst::FormattedSegment::<
                        gst::ClockTime,
                    >::new()));
                }
                *shown = Some(video);
            }
            let mut buffer = gst::Buffer::from_mut_slice(bytes);
            if let Some(buffer) = buffer.get_mut() {
                // The arrival time: nothing downstream waits for a camera's own clock.
                buffer.set_pts(self.obj().current_running_time());
            }
            match self.pad.push(buffer) {
                Ok(_) => {}
                Err(why @ (gst::FlowError::NotLinked | gst::FlowError::NotNegotiated)) => {
                    gst::element_imp_error!(
                        self,
                        gst::StreamError::WrongType,
                        ("the pipeline does not accept {:?}", video.codec),
                        ["{:?}", why]
                    )
                }
                // The pipeline is shutting down, or the element that failed has reported it on the
                // bus.
                Err(_) => {}
            }
        }

        /// The fault goes with the message as it is (`gst::fault_of` takes it out again).
        fn report(&self, fault: &Fault) {
            if *fault == Fault::StreamEnded {
                self.pad.push_event(gst::event::Eos::new());
                return;
            }
            gst::element_imp_error!(
                self,
                gst::ResourceError::Failed,
                ("the session has ended"),
                details: details_of(fault)
            );
        }
    }

    fn byte_stream(codec: Codec) -> gst::caps::Builder<gst::caps::NoFeature> {
        let name = match codec {
            Codec::H264 => "video/x-h264",
            Codec::H265 => "video/x-h265",
        };
        gst::Caps::builder(name).field("stream-format", "byte-stream").field("alignment", "au")
    }

    fn query(pad: &gst::Pad, parent: Option<&gst::Object>, query: &mut gst::QueryRef) -> bool {
        if let gst::QueryViewMut::Latency(latency) = query.view_mut() {
            latency.set(true, gst::ClockTime::ZERO, gst::ClockTime::NONE);
            return true;
        }
        gst::Pad::query_default(pad, parent, query)
    }

    fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
