//! The one integration crate: stories, deadlines, contracts against real databases and processes, and the house's own rules.

use huoyan::triage;

mod another_model;
mod bearings;
mod bus_contract;
mod camera;
mod camera_support;
mod cascade;
mod config;
mod county;
mod county_farm;
mod deadlines;
mod desk_story;
mod detect;
mod export_training;
mod fixture;
mod full_disk;
mod fusion;
mod http;
mod http_support;
mod inbound;
mod inputs;
mod kill9;
mod no_telemetry;
mod notify;
mod replay;
mod right_ranger;
mod rtsp;
mod satellite;
mod self_test;
mod simulation;
mod store_contract;
mod tidy;
mod triage_kit;
mod truth;
mod watch;
