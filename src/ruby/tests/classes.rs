//! Classes, modules, and everything about methods that is decided while a script runs.

use super::check;

#[test]
fn classes_and_modules() {
    check(&[
        (
            "class A; attr_accessor :x; def initialize(x); @x = x; end; def to_s; \"A#{@x}\"; end; end; a = A.new(1); a.x += 1; \"#{a}\"",
            "\"A2\"",
        ),
        (
            "class A; def hi; 'a'; end; end; class B < A; def hi; super + 'b'; end; end; [B.new.hi, B.superclass, B.ancestors.include?(A)] rescue $!.message",
            "[\"ab\", A, true]",
        ),
        (
            "module M; def m; 'm'; end; end; class A; include M; def m; super + 'a'; end; end; A.new.m",
            "\"ma\"",
        ),
        (
            "module M; def m; 'm' + super; end; end; class A; prepend M; def m; 'a'; end; end; A.new.m",
            "\"ma\"",
        ),
        ("class A; X = 5; def x; X; end; end; [A.new.x, A::X]", "[5, 5]"),
        ("module U; def self.f(x) = x + 1; def U.g = 2; end; [U.f(1), U.g]", "[2, 2]"),
        ("module U; module_function; def f; 3; end; end; U.f", "3"),
        ("class A; @@n = 0; def self.inc; @@n += 1; end; end; A.inc; A.inc", "2"),
        ("class A; class << self; def make; new; end; end; end; A.make.class", "A"),
        (
            "class A; private; def s; 1; end; public; def t; s; end; end; [A.new.t, (A.new.s rescue $!.message)]",
            "[1, \"private method 's' called for an instance of A\"]",
        ),
        (
            "class A; include Comparable; attr_reader :v; def initialize(v) = @v = v; def <=>(o) = v <=> o.v; end; [A.new(1) < A.new(2), A.new(1) == A.new(1), A.new(5).clamp(A.new(1), A.new(3)).v]",
            "[true, true, 3]",
        ),
        ("class Integer; def twice; self * 2; end; end; 4.twice", "8"),
        ("A = Class.new(StandardError) { def x; 1; end }; [A.name, A.new.x]", "[\"A\", 1]"),
        ("module Outer; class Inner; def self.n; name; end; end; end; Outer::Inner.n", "\"Outer::Inner\""),
        ("class A; end; class A < String; end", "TypeError: superclass mismatch for class A"),
    ]);
}

#[test]
fn dynamic_methods() {
    check(&[
        (
            "class A; def method_missing(n, *a); [n, a]; end; def respond_to_missing?(n, p = false); n == :zip_it; end; end; [A.new.foo(1), A.new.respond_to?(:zip_it)]",
            "[[:foo, [1]], true]",
        ),
        ("class A; define_method(:sq) { |x| x * x }; end; A.new.sq(3)", "9"),
        ("o = Object.new; def o.hi; 1; end; [o.hi, o.singleton_methods]", "[1, [:hi]]"),
        (
            "o = Object.new; o.instance_variable_set(:@a, 3); [o.instance_variable_get(:@a), o.instance_variables]",
            "[3, [:@a]]",
        ),
        ("class A; def a; 1; end; alias b a; alias_method :c, :a; end; [A.new.b, A.new.c]", "[1, 1]"),
        (
            "class A; def a; 1; end; undef a; end; A.new.a",
            "NoMethodError: undefined method 'a' for an instance of A",
        ),
        ("o = Object.new; o.instance_eval { @z = 4 }; o.instance_variable_get(:@z)", "4"),
        ("class A; def ==(o); true; end; end; [A.new == 1, A.new != 1]", "[true, false]"),
        (
            "class A; def call(x); x; end; def to_proc; proc { |x| x + 1 }; end; end; [A.new.(2), 1.then(&A.new)]",
            "[2, 2]",
        ),
        (
            "o = Object.new; o.freeze; begin; o.instance_variable_set(:@a, 1); rescue => e; e.class; end",
            "FrozenError",
        ),
        (
            "class A; attr_reader :a; def initialize; @a = [1]; end; end; x = A.new; y = x.dup; y.a.equal?(x.a)",
            "true",
        ),
        ("m = Object.new.method(:class); m.call", "Object"),
        ("method(:puts).arity", "-1"),
        ("class A; def x; @x ||= 5; end; end; a = A.new; [a.x, a.x]", "[5, 5]"),
    ]);
}
