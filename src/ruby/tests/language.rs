//! Expressions, variables, assignments, methods and their arguments.

use super::{check, refused};

#[test]
fn literals() {
    check(&[
        (
            "[1_000, 0x1f, 0b11, 0o17, 017, 1e3, -5, 2**70]",
            "[1000, 31, 3, 15, 15, 1000.0, -5, 1180591620717411303424]",
        ),
        ("[:a, :\"b c\", :+, :[]=, :a?, %i[x y]]", "[:a, :\"b c\", :+, :[]=, :a?, [:x, :y]]"),
        ("%w[a b #{1}]", "[\"a\", \"b\", \"\\#{1}\"]"),
        ("'a\\'b\\\\c\\n'", "\"a'b\\\\c\\\\n\""),
        ("\"t\\tu\\u00e9\\x41\\e#{1 + 1}\"", "\"t\\tuéA\\e2\""),
        ("<<~X\n  a\n    b #{1}\n  c\nX\n", "\"a\\n  b 1\\nc\\n\""),
        ("{a: 1, 'b' => 2, :\"c d\" => 3, 4 => nil}", "{a: 1, \"b\" => 2, \"c d\": 3, 4 => nil}"),
        ("[1..2, 1...2, (1..), nil..3]", "[1..2, 1...2, 1.., ..3]"),
        ("x = 1; {x:}", "{x: 1}"),
        ("[__LINE__, __FILE__]", "[1, \"(test)\"]"),
    ]);
}

#[test]
fn variables_and_assignments() {
    check(&[
        ("a, b = 1, 2; a, b = b, a; [a, b]", "[2, 1]"),
        ("a, (b, *c), d = 1, [2, 3, 4], 5; [a, b, c, d]", "[1, 2, [3, 4], 5]"),
        ("*a, b = [1, 2, 3]; [a, b]", "[[1, 2], 3]"),
        ("a, *b = 1; [a, b]", "[1, []]"),
        ("a = b = 3; a += b; a -= 1; a *= 4; [a, b]", "[20, 3]"),
        ("h = {}; h[:a] ||= []; h[:a] += [1]; h[:b] = h[:c] = 2; h", "{a: [1], c: 2, b: 2}"),
        ("x = nil; x ||= 5; x &&= x + 1; x", "6"),
        ("@a ||= 1; @a += 1; @a", "2"),
        ("a = [1, 2]; a[0], a[1] = a[1], a[0]; a", "[2, 1]"),
        ("y = 5 if false; y", "nil"),
        ("a = *1..3; a", "[1, 2, 3]"),
        ("[*1..2, *[3], *nil]", "[1, 2, 3]"),
        ("$a = 1; $a += 1; $a", "2"),
        ("if false then z = 1 end; z.inspect", "\"nil\""),
    ]);
}

#[test]
fn methods_take_arguments_as_ruby_does() {
    check(&[
        (
            "def m(a, b = a + 1, *c, d); [a, b, c, d]; end; [m(1, 9), m(1, 2, 9), m(1, 2, 3, 4, 9)]",
            "[[1, 2, [], 9], [1, 2, [], 9], [1, 2, [3, 4], 9]]",
        ),
        ("def m(a, k:, o: 2, **r); [a, k, o, r]; end; m(1, k: 3, z: 4)", "[1, 3, 2, {z: 4}]"),
        ("def m(*a, **k, &b); [a, k, b.call]; end; m(1, x: 2) { 3 }", "[[1], {x: 2}, 3]"),
        ("def m(h); h; end; m(a: 1)", "{a: 1}"),
        ("def m(a); a; end; m(1, 2)", "ArgumentError: wrong number of arguments (given 2, expected 1)"),
        ("def m(a, b = 1); a; end; m", "ArgumentError: wrong number of arguments (given 0, expected 1..2)"),
        ("def m(a:); a; end; m", "ArgumentError: missing keyword: a"),
        ("def m(a: 1); a; end; m(b: 2)", "ArgumentError: unknown keyword: :b"),
        ("def m(...) = n(...); def n(a, b: 0, &c) = [a, b, c&.call]; m(1, b: 2) { 3 }", "[1, 2, 3]"),
        ("def m(&) = n(&); def n(&b) = b.call; m { 4 }", "4"),
        ("def m(a) = a * 2; m(21)", "42"),
        ("h = {b: 1}; def m(a, b: 0) = [a, b]; m(0, **h)", "[0, 1]"),
        ("def m; yield 1, 2; end; m { |a, b| [a, b] }", "[1, 2]"),
        (
            "def m; yield [1, 2]; end; [m { |a, b| [a, b] }, m { |a| a }, m { |a, | a }]",
            "[[1, 2], [1, 2], 1]",
        ),
        ("def m; yield [1, [2, 3]]; end; m { |a, (b, c)| [a, b, c] }", "[1, 2, 3]"),
        ("def m; yield 1; end; m { |a, b = 7, *c| [a, b, c] }", "[1, 7, []]"),
        ("def m; block_given?; end; [m, m {}]", "[false, true]"),
        ("def m; __method__; end; m", ":m"),
        ("def m(n) = n < 2 ? n : m(n - 1) + m(n - 2); m(15)", "610"),
    ]);
}

#[test]
fn blocks_procs_and_lambdas() {
    check(&[
        (
            "x = 10; add = ->(a, b = 10) { a + b + x }; [add.(1), add.call(1, 2), add[3, 4], add.arity, add.lambda?]",
            "[21, 13, 17, -2, true]",
        ),
        ("c = 0; inc = proc { c += 1 }; inc.call; inc.(); c", "2"),
        ("def m; [1, 2].then { |a| return a }; 3; end; m", "[1, 2]"),
        ("l = lambda { return 1 }; l.call + 1", "2"),
        (
            "p = proc { |a, b| [a, b] }; [p.call(1), p.call(1, 2, 3), p.call([4, 5])]",
            "[[1, nil], [1, 2], [4, 5]]",
        ),
        ("l = ->(a) { a }; l.call(1, 2)", "ArgumentError: wrong number of arguments (given 2, expected 1)"),
        (
            "f = proc { |x| x + 1 } >> proc { |x| x * 2 }; g = proc { |x| x + 1 } << proc { |x| x * 2 }; [f.call(3), g.call(3)]",
            "[8, 7]",
        ),
        ("add = ->(a, b, c) { a + b + c }; add.curry[1][2][3]", "6"),
        ("def m; r = yield 1; r; end; m { next 5; 6 }", "5"),
        ("def m; yield; 1; end; m { break 7 }", "7"),
        ("x = 5; [1].then { |a; x| x = a }; x", "5"),
        ("[1].then { it }", "[1]"),
        ("[3].then { _1 }", "[3]"),
        ("m = 5.method(:+) rescue 0; ->(n) { n }.to_proc.call(2)", "2"),
        ("counter = 0; 3.then { counter += it }; counter", "3"),
        ("def m(&b) = b; m(&:to_s).call(:a)", "\"a\""),
        (
            "def w; yield; end; 'a1' =~ /(\\d)/; [w { $1 }, w { 'b2' =~ /(\\d)/; $1 }, $1]",
            "[\"1\", \"2\", \"2\"]",
        ),
        ("def m; 'x9' =~ /(\\d)/; end; 'a1' =~ /(\\d)/; m; $1", "\"1\""),
        ("proc { |a, (b, c), *d, e: 5| [a, b, c, d, e] }.call(1, [2, 3], 4)", "[1, 2, 3, [4], 5]"),
    ]);
}

#[test]
fn conditions_and_operators() {
    check(&[
        (
            "[1 <=> 2, 1 == 1.0, 1.eql?(1.0), !nil, (not true), nil & true, true ^ true]",
            "[-1, true, false, true, false, false, false]",
        ),
        ("[7 / 2, -7 / 2, 7 % 3, -7 % 3, 7 / 2.0]", "[3, -4, 1, 2, 3.5]"),
        ("9223372036854775807 + 1", "9223372036854775808"),
        ("x = 5; x > 3 && x < 9 ? 'in' : 'out'", "\"in\""),
        ("nil&.foo", "nil"),
        ("unless nil then 1 else 2 end", "1"),
        ("a = false || nil; a.inspect", "\"nil\""),
        ("(true and false) or 3", "3"),
        (
            "defined?(zzz).inspect + defined?(String) + defined?(@x).inspect + defined?(puts)",
            "\"nilconstantnilmethod\"",
        ),
    ]);
}

#[test]
fn unknown_names_are_told_with_their_place() {
    let error = refused("x = 1\ny = x.popen2('ab')");
    assert_eq!((error.line, error.column), (2, 7));
    assert!(error.message.contains("popen2"), "{error}");
    assert!(refused("require 'nokogiri'").message.contains("nokogiri"));
    assert!(refused("Nokogiri::XML('x')").message.contains("Nokogiri"));
    assert!(refused("`ls`").message.contains("commands"));
    assert!(refused("java.util.HashMap.new").message.contains("Java"));
    assert!(refused("event.set('a', (").message.starts_with("syntax error"));
    // What no Ruby has fails when it is called, and can be rescued.
    check(&[
        ("begin; nil.foo; rescue NoMethodError => e; e.message; end", "\"undefined method 'foo' for nil\""),
        ("5.foo_bar", "NoMethodError: undefined method 'foo_bar' for an instance of Integer"),
        ("foo_bar", "NameError: undefined local variable or method 'foo_bar' for main:Object"),
        ("foo_bar()", "NoMethodError: undefined method 'foo_bar' for main:Object"),
        ("Object.foo_bar", "NoMethodError: undefined method 'foo_bar' for class Object"),
    ]);
}
