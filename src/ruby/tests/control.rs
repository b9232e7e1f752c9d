//! Loops, cases, patterns, exceptions, jumps.

use super::check;

#[test]
fn loops() {
    check(&[
        ("r = 0; i = 0; while i < 5; i += 1; next if i == 2; break if i == 4; r += i; end; r", "4"),
        ("i = 0; until i == 3; i += 1; end; i", "3"),
        ("i = 0; begin; i += 1; end while i < 3; i", "3"),
        ("r = 0; for a in [1, 2, 3] do next if a == 2; r += a; end; [r, a]", "[4, 3]"),
        ("r = 0; for a, b in [[1, 2], [3, 4]]; r += a * b; end; r", "14"),
        ("i = 0; r = loop { i += 1; break i * 2 if i > 2 }; r", "6"),
        ("x = while true; break 9; end; x", "9"),
        ("i = 0; i += 1 while i < 10; i", "10"),
        ("loop { raise StopIteration }; 1", "1"),
        ("r = []; for i in 1..3 do r += [i]; end; r", "[1, 2, 3]"),
    ]);
}

#[test]
fn cases() {
    check(&[
        ("case 5 when 1, 2 then :a when Integer then :b else :c end", ":b"),
        ("case when false then 1 when nil then 2 else 3 end", "3"),
        ("case 'x' when *['a', 'x'] then 1 end", "1"),
        ("case 7 when ->(n) { n > 5 } then :big end", ":big"),
        ("case nil when nil then :nil end", ":nil"),
    ]);
}

#[test]
fn patterns() {
    check(&[
        ("case [1, [2, 3]]; in [a, [b, *c]] then [a, b, c] end", "[1, 2, [3]]"),
        ("case {name: 'x', n: {k: 2}}; in {name: String => s, n: {k:}} then [s, k] end", "[\"x\", 2]"),
        ("case 5; in Integer | Float => n if n > 3 then n end", "5"),
        ("case {a: 1, b: 2}; in {a: 1, **rest} then rest end", "{b: 2}"),
        ("case {a: 1, b: 2}; in {a: 1, **nil} then 1 else 2 end", "2"),
        ("case [1, 2, 3, 4]; in [*, 3, *post] then post end", "[4]"),
        ("x = 5; case 5; in ^x then :same end", ":same"),
        ("(1 in Integer) && !('a' in Integer)", "true"),
        ("{a: [1, 2]} => {a: [_, y]}; y", "2"),
        ("case []; in [] then :empty end", ":empty"),
        ("case 1; in String then 1 end", "NoMatchingPatternError: 1"),
    ]);
}

#[test]
fn exceptions() {
    check(&[
        ("begin; raise 'x'; rescue => e; [e.class, e.message]; end", "[RuntimeError, \"x\"]"),
        (
            "begin; raise ArgumentError; rescue TypeError, ArgumentError => e; e.message; end",
            "\"ArgumentError\"",
        ),
        ("r = []; begin; r += [1]; rescue; r += [2]; else; r += [3]; ensure; r += [4]; end; r", "[1, 3, 4]"),
        ("n = 0; begin; n += 1; raise 'x' if n < 3; n; rescue; retry; end", "3"),
        ("def m; return 1; ensure; @e = 2; end; [m, @e]", "[1, 2]"),
        ("def m; 1 / 0; rescue ZeroDivisionError => e; e.message; end; m rescue 5", "\"divided by 0\""),
        ("(raise 'x' rescue 7)", "7"),
        ("begin; raise 'a'; rescue => a; begin; raise 'b'; rescue => b; b.cause.message; end; end", "\"a\""),
        (
            "class MyError < StandardError; def initialize(m = 'mine'); super; end; end; begin; raise MyError; rescue => e; e.message; end",
            "\"mine\"",
        ),
        (
            "class E1 < StandardError; end; begin; raise E1.new('q'); rescue E1 => e; e.inspect; end",
            "\"#<E1: q>\"",
        ),
        ("begin; raise Exception, 'x'; rescue => e; 1; end", "Exception: x"),
        ("begin; raise 'x'; rescue; $!.message; end", "\"x\""),
        ("begin; begin; raise 'x'; rescue; raise; end; rescue => e; e.message; end", "\"x\""),
        ("raise 5", "TypeError: exception class/object expected"),
        ("catch(:done) { throw :done, 5; 6 }", "5"),
        ("throw :nobody", "UncaughtThrowError: uncaught throw :nobody"),
        ("catch { |t| throw t, 1 }", "1"),
        ("def m; yield; ensure; @x = 1; end; m { break }; @x", "1"),
        ("e = (raise 'x' rescue $!); e.backtrace.class", "Array"),
        ("x = begin; 1; ensure; 2; end; x", "1"),
    ]);
}
