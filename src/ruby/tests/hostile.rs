//! Scripts that would bring a process down if they could.

use super::{check, run};
use crate::ruby::{Args, Value, World};

#[test]
fn endless_recursion_is_an_exception() {
    assert!(run("def m; m; end; m").starts_with("SystemStackError"));
    assert!(run("def m(&b) = b.call(b); m { |b| m(&b) }").starts_with("SystemStackError"));
    assert!(run("class A; def to_s; \"#{self}\"; end; end; A.new.to_s").starts_with("SystemStackError"));
    assert!(run("a = []; 100000.then { |n| while n > 0; a = [a]; n -= 1; end }; a == a.dup").len() < 100);
    check(&[
        ("def m(n); n == 0 ? 0 : 1 + m(n - 1); end; m(50)", "50"),
        ("def m; m; end; begin; m; rescue SystemStackError => e; 'caught'; end", "\"caught\""),
    ]);
}

#[test]
fn deep_values_are_dropped_without_recursion() {
    check(&[
        ("a = []; i = 0; while i < 300_000; a = [a]; i += 1; end; a = nil; 1", "1"),
        ("a = {}; i = 0; while i < 300_000; a = {k: a}; i += 1; end; a = nil; 1", "1"),
        (
            "class N; attr_accessor :n; end; a = nil; i = 0; while i < 300_000; b = N.new; b.n = a; a = b; i += 1; end; a = nil; 1",
            "1",
        ),
    ]);
}

#[test]
fn worlds_can_be_dropped_and_moved() {
    let mut world = World::new();
    let kept = world.with(|interp| {
        let host = interp.new_host("Test");
        let value = interp.run_once("class A; def x; 1; end; end; A.new", "(test)", &host);
        interp.keep(value.unwrap().unwrap())
    });
    let handle = std::thread::spawn(move || {
        world.with(|interp| {
            let value = interp.kept(kept);
            let called = interp.call(&value, "x", &[]).ok().map(|value| interp.inspect(&value).ok());
            called.flatten()
        })
    });
    assert_eq!(handle.join().unwrap().as_deref(), Some("1"));
}

#[test]
fn nothing_that_is_nested_too_deeply_is_compiled() {
    let deep = format!("{}1{}", "(".repeat(5000), ")".repeat(5000));
    assert!(run(&deep).starts_with("refused"), "{}", run(&deep));
    let sum = vec!["1"; 3000].join(" + ");
    assert!(run(&sum).starts_with("refused"));
}

#[test]
fn closures_that_hold_themselves_are_freed() {
    let mut world = World::new();
    let living = |world: &mut World, code: &str, runs: usize| {
        world.with(|interp| {
            let host = interp.new_host("Test");
            let code = interp.load_code(code, "(test)", "event", &host).expect("must compile");
            for _ in 0..runs {
                assert!(interp.run_code(&code, Args::of(&[Value::Nil])).is_ok());
            }
            interp.living_suspects()
        })
    };
    let recursive = "walk = lambda { |n| n == 0 ? 0 : walk.call(n - 1) }; walk.call(3)";
    assert_eq!(living(&mut world, recursive, 10), 0);
    // A script that keeps state keeps the closures that its state reaches, and no others.
    let keeping =
        "walk = lambda { |n| n == 0 ? 0 : walk.call(n - 1) }; walk.call(3); n = 5; @f = lambda { n += 1 }";
    assert!(living(&mut world, keeping, 10_000) < 5_000);
}

#[test]
fn what_holds_itself_is_a_key() {
    check(&[
        ("h = {}; h[h] = 1; h.size", "1"),
        ("h = {}; h[[h]] = 1; h.key?([h]); h.size", "1"),
        ("s = Set[1]; s << s; s.size", "2"),
        ("a = Set[1]; a << a; b = Set[1]; b << b; [a == b, a.hash.class]", "[false, Integer]"),
        ("a = []; a << a << a; a.hash.class", "Integer"),
    ]);
}

#[test]
fn what_has_no_bounds_gets_some() {
    check(&[
        ("(1.0 / 0).round(2)", "Infinity"),
        ("1.0.step(2.0, 1e-300).first(1)", "[1.0]"),
        ("a = [0] * 20_000_000; a + a", "ArgumentError: argument too big"),
        ("a = [0] * 20_000_000; a.concat(a)", "ArgumentError: argument too big"),
        ("s = 'a' * 300_000_000; s + s", "ArgumentError: argument too big"),
    ]);
}
