use super::layered::layered;
use super::*;

fn overlap(one: &Rect, other: &Rect) -> bool {
    one.x < other.x + other.w && other.x < one.x + one.w && one.y < other.y + other.h && other.y < one.y + one.h
}

fn check(sizes: &[(f64, f64)], links: &[(usize, usize)]) -> Layered {
    let drawn = layered(sizes, links, &BTreeSet::new());
    for (at, one) in drawn.rects.iter().enumerate() {
        assert!(one.x >= -0.01 && one.y >= -0.01, "{one:?}");
        assert!(one.x + one.w <= drawn.width + 0.01 && one.y + one.h <= drawn.height + 0.01, "{one:?} in {drawn:?}");
        for other in drawn.rects.iter().skip(at + 1) {
            assert!(!overlap(one, other), "{one:?} and {other:?}");
        }
    }
    drawn
}

#[test]
fn nothing_has_no_size() {
    let drawn = check(&[], &[]);
    assert_eq!((drawn.width, drawn.height), (0.0, 0.0));
}

#[test]
fn what_leads_somewhere_stands_above_it() {
    let drawn = check(&[(100.0, 40.0); 4], &[(0, 1), (1, 2), (0, 2)]);
    assert!(drawn.rects[0].y < drawn.rects[1].y && drawn.rects[1].y < drawn.rects[2].y);
    assert_eq!(drawn.bends[&(0, 2)].len(), 1, "the long link goes past the row between");
}

#[test]
fn five_hundred_items_keep_apart_and_those_without_links_fit_into_a_page() {
    let links: Vec<(usize, usize)> = (1..500).map(|at| (at, at / 7)).collect();
    check(&vec![(150.0, 48.0); 500], &links);
    let drawn = check(&vec![(150.0, 48.0); 500], &[]);
    assert!(drawn.width < drawn.height * 3.0 && drawn.height < drawn.width * 3.0, "{} x {}", drawn.width, drawn.height);
}

#[test]
fn circles_are_drawn_too() {
    check(&[(100.0, 40.0); 3], &[(0, 1), (1, 2), (2, 0)]);
}

#[test]
fn what_leads_out_of_a_box_goes_past_the_rows_between() {
    let exits = BTreeSet::from([(0, true), (2, false), (2, true)]);
    let drawn = layered(&[(100.0, 40.0); 3], &[(0, 1), (1, 2)], &exits);
    let rows = |exit: (usize, bool)| drawn.exits[&exit].iter().map(|bend| bend.row).collect::<Vec<_>>();
    assert_eq!((rows((0, true)), rows((2, false)), rows((2, true))), (vec![1, 2], vec![1, 0], vec![]));
    for bend in &drawn.exits[&(0, true)] {
        let row = drawn.rows[bend.row].items.iter().map(|item| drawn.rects[*item]);
        assert!(row.into_iter().all(|rect| bend.x < rect.x || bend.x > rect.x + rect.w), "{drawn:?}");
    }
}

#[test]
fn links_past_a_row_to_the_same_item_are_one() {
    let drawn = check(&[(100.0, 40.0); 5], &[(0, 3), (1, 3), (2, 4), (4, 3)]);
    assert_eq!(drawn.bends[&(2, 4)], []);
    assert!(drawn.rows.len() >= 3, "{drawn:?}");
    let drawn = check(&[(100.0, 40.0); 4], &[(0, 1), (1, 2), (2, 3), (0, 3), (1, 3)]);
    assert_eq!(drawn.bends[&(0, 3)][1], drawn.bends[&(1, 3)][0]);
}
