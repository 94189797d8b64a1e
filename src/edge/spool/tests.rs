use super::*;
use uuid::Uuid;

fn sighting(n: u128) -> SightingId {
    SightingId(Uuid::from_u128(n))
}

fn waits(sightings: usize, pictures: usize, bytes: u64, shed: u64) -> Waits {
    Waits { sightings, pictures, bytes, shed, ..Waits::default() }
}

fn sent(spool: &Spool) -> Piece {
    let waiting = spool.next_sighting().or_else(|| spool.next_picture());
    let waiting = waiting.expect("something waits");
    spool.done(&waiting);
    waiting.piece
}

#[test]
fn what_waits_leaves_in_order_sightings_first_also_after_a_crash() {
    let folder = tempfile::tempdir().expect("a folder");
    let spool = Spool::open(folder.path(), 1 << 20).expect("opens");
    let picture = PictureId::of(Uuid::from_u128(1), b"smoke");
    spool.keep_sighting(sighting(9), b"first").expect("kept");
    spool.keep_picture(picture, b"smoke").expect("kept");
    spool.keep_sighting(sighting(3), b"second").expect("kept");
    // Killed while it wrote: nobody was told that this one is kept.
    fs::write(folder.path().join("sightings/0000000000000007-x.part"), b"{").expect("a half file");
    drop(spool);
    let spool = Spool::open(folder.path(), 1 << 20).expect("opens again");
    assert_eq!(spool.waits(), waits(2, 1, 16, 0));
    spool.keep_sighting(sighting(1), b"third").expect("kept");
    let order = [(9, &b"first"[..]), (3, b"second"), (1, b"third")];
    for (id, text) in order {
        assert_eq!(sent(&spool), Piece::Sighting(sighting(id), text.to_vec()));
    }
    assert_eq!(sent(&spool), Piece::Picture(picture, b"smoke".to_vec()));
    assert!(spool.next_sighting().is_none() && spool.next_picture().is_none());
    assert_eq!(spool.waits(), Waits::default());
    let left = |part: &str| fs::read_dir(folder.path().join(part)).expect("a folder").count();
    assert_eq!((left(SIGHTINGS), left(PICTURES)), (0, 0));
}

#[test]
fn a_full_spool_sheds_its_oldest_pictures_and_no_sighting() {
    let folder = tempfile::tempdir().expect("a folder");
    let spool = Spool::open(folder.path(), 1_000).expect("opens");
    let picture = |n: u128| PictureId::of(Uuid::from_u128(n), &[n as u8; 300]);
    for n in 1..=4 {
        spool.keep_picture(picture(n), &[n as u8; 300]).expect("kept, or another shed");
    }
    assert_eq!(spool.waits(), waits(0, 3, 900, 1));
    spool.keep_sighting(sighting(1), &[b' '; 400]).expect("two pictures give way");
    assert_eq!(spool.waits(), waits(1, 2, 1_000, 2));
    spool.keep_sighting(sighting(2), &[b' '; 600]).expect("the rest gives way");
    assert_eq!(spool.waits(), waits(2, 0, 1_000, 4));
    spool.keep_picture(picture(5), &[5; 300]).expect("shed at once");
    assert_eq!(spool.waits().shed, 5);
    let refused = spool.keep_sighting(sighting(3), b"one more").expect_err("the budget is reached");
    assert!(refused.kind.is_retryable() && refused.message.contains("spool_max_gib"), "{refused}");
    assert_eq!(sent(&spool), Piece::Sighting(sighting(1), vec![b' '; 400]));
    spool.keep_sighting(sighting(3), b"one more").expect("there is room again");
}

#[test]
fn a_file_that_cannot_be_read_hides_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join(SIGHTINGS)).expect("a folder");
    fs::write(folder.path().join("sightings/0000000000000001-what.json"), b"{}")
        .expect("a foreign file");
    let spool = Spool::open(folder.path(), 1_000).expect("opens");
    spool.keep_sighting(sighting(2), b"fire").expect("kept");
    assert_eq!(sent(&spool), Piece::Sighting(sighting(2), b"fire".to_vec()));
    assert!(
        folder.path().join("sightings/0000000000000001-what.json").exists(),
        "a person can look at it"
    );
    assert_eq!(spool.waits().unreadable, 1, "and is told of it");
}

#[test]
fn a_file_that_cannot_be_read_now_keeps_its_place_and_holds_no_picture_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let spool = Spool::open(folder.path(), 1_000).expect("opens");
    let picture = PictureId::of(Uuid::from_u128(1), b"smoke");
    spool.keep_sighting(sighting(1), b"first").expect("kept");
    spool.keep_sighting(sighting(2), b"second").expect("kept");
    spool.keep_picture(picture, b"smoke").expect("kept");
    let name = format!("{:016}-{}.json", 0, sighting(1));
    let (file, aside) = (folder.path().join(SIGHTINGS).join(&name), folder.path().join(&name));
    fs::rename(&file, &aside).expect("the disk does not answer for it");
    assert_eq!(sent(&spool), Piece::Sighting(sighting(2), b"second".to_vec()));
    assert!(spool.next_sighting().is_none());
    assert_eq!((spool.waits().sightings, spool.waits().unreadable), (1, 1), "it still waits");
    assert_eq!(sent(&spool), Piece::Picture(picture, b"smoke".to_vec()));
    fs::rename(&aside, &file).expect("and answers again");
    assert_eq!(sent(&spool), Piece::Sighting(sighting(1), b"first".to_vec()));
    assert_eq!(spool.waits(), Waits::default());
}

#[test]
fn a_picture_leaves_at_once_when_the_last_sighting_before_it_has_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let spool = Spool::open(folder.path(), 1_000).expect("opens");
    spool.keep_sighting(sighting(1), b"fire").expect("kept");
    spool.keep_picture(PictureId::of(Uuid::from_u128(1), b"smoke"), b"smoke").expect("kept");
    assert!(spool.next_picture().is_none(), "the sighting goes first");
    let mut hears = std::pin::pin!(spool.fresh());
    assert!(!hears.as_mut().enable());
    assert_eq!(sent(&spool), Piece::Sighting(sighting(1), b"fire".to_vec()));
    assert!(hears.enable(), "whoever waits is told, and does not wait for the next alarm");
    assert!(spool.next_picture().is_some());
}

/// The folder of sightings is no folder any more: as a card that has become read-only.
#[test]
fn a_disk_that_takes_nothing_holds_no_alarm_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let spool = Spool::open(folder.path(), 1_000).expect("opens");
    let picture = PictureId::of(Uuid::from_u128(1), b"smoke");
    spool.keep_picture(picture, b"smoke").expect("kept");
    fs::remove_dir(folder.path().join(SIGHTINGS)).expect("empty");
    fs::write(folder.path().join(SIGHTINGS), b"").expect("a file in its place");
    spool.keep_sighting(sighting(1), b"fire").expect("kept in memory");
    spool.keep_sighting(sighting(2), b"more").expect("kept in memory");
    assert_eq!((spool.waits().sightings, spool.waits().unsaved), (2, 2), "and said");
    assert_eq!((spool.waits().pictures, spool.waits().shed), (1, 0), "no room is won by shedding");
    assert_eq!(sent(&spool), Piece::Sighting(sighting(1), b"fire".to_vec()));
    fs::remove_file(folder.path().join(SIGHTINGS)).expect("a file");
    fs::create_dir(folder.path().join(SIGHTINGS)).expect("the disk is back");
    let waiting = spool.next_sighting().expect("the second");
    assert_eq!((spool.waits().sightings, spool.waits().unsaved), (1, 0), "on the disk again");
    spool.done(&waiting);
    assert_eq!(sent(&spool), Piece::Picture(picture, b"smoke".to_vec()));
    assert_eq!(spool.waits(), Waits::default());
}
