//! The builtin classes, and finding and adding methods.

use std::rc::Rc;

use super::Interp;
use crate::ruby::control::Outcome;
use crate::ruby::stdlib::{ClassDef, MethodDef};
use crate::ruby::symbol::Sym;
use crate::ruby::value::{Body, Exception, Method, RClass, RObject, Value, Visibility};

macro_rules! classes {
    ($($field:ident: $name:literal),* $(,)?) => {
        /// Builtin classes that the interpreter itself needs.
        pub struct Classes {
            pub basic_object: Rc<RClass>,
            pub object: Rc<RClass>,
            pub module: Rc<RClass>,
            pub class: Rc<RClass>,
            $(pub $field: Rc<RClass>,)*
        }

        impl Classes {
            /// The first four, and stand-ins for the others until the tables are read.
            pub(super) fn bootstrap() -> (Classes, Vec<Rc<RClass>>) {
                let basic_object = RClass::new(Some("BasicObject"), None, false, None);
                let object = RClass::new(Some("Object"), Some(basic_object.clone()), false, None);
                let module = RClass::new(Some("Module"), Some(object.clone()), false, None);
                let class = RClass::new(Some("Class"), Some(module.clone()), false, None);
                for one in [&basic_object, &object, &module, &class] {
                    let above = one.superclass().and_then(|superclass| superclass.meta());
                    let above = above.unwrap_or_else(|| class.clone());
                    let attached = Some(Value::Class(one.clone()));
                    one.set_meta(RClass::new(None, Some(above), false, attached));
                    object.set_constant(Sym::new(&one.name().unwrap_or_default()), Value::Class(one.clone()));
                }
                let every = vec![basic_object.clone(), object.clone(), module.clone(), class.clone()];
                let classes = Classes {
                    $($field: object.clone(),)*
                    basic_object, object, module, class,
                };
                (classes, every)
            }

            /// Takes in a class whose table was read.
            fn settle(&mut self, class: &Rc<RClass>) {
                match class.name().as_deref() {
                    $(Some($name) => self.$field = class.clone(),)*
                    _ => {}
                }
            }
        }
    };
}

classes! {
    kernel: "Kernel",
    comparable: "Comparable",
    enumerable: "Enumerable",
    nil: "NilClass",
    true_class: "TrueClass",
    false_class: "FalseClass",
    numeric: "Numeric",
    integer: "Integer",
    float: "Float",
    string: "String",
    symbol: "Symbol",
    array: "Array",
    hash: "Hash",
    range: "Range",
    regexp: "Regexp",
    match_data: "MatchData",
    proc: "Proc",
    method: "Method",
    unbound_method: "UnboundMethod",
    exception: "Exception",
    standard_error: "StandardError",
    structure: "Struct",
    enumerator: "Enumerator",
    set: "Set",
    time: "Time",
    date: "Date",
    date_time: "DateTime",
    rational: "Rational",
    big_decimal: "BigDecimal",
    event: "LogStash::Event",
    timestamp: "LogStash::Timestamp",
}

impl Interp {
    /// The class whose methods a value has: its singleton class, if it has one.
    pub fn class_of(&self, value: &Value) -> Rc<RClass> {
        let classes = &self.classes;
        let extra = |extra: &crate::ruby::value::Extra, class: &Rc<RClass>| {
            extra.class().unwrap_or_else(|| class.clone())
        };
        match value {
            Value::Nil => classes.nil.clone(),
            Value::Bool(true) => classes.true_class.clone(),
            Value::Bool(false) => classes.false_class.clone(),
            Value::Int(_) | Value::Big(_) => classes.integer.clone(),
            Value::Float(_) => classes.float.clone(),
            Value::Sym(_) => classes.symbol.clone(),
            Value::Str(string) => extra(&string.extra, &classes.string),
            Value::Array(array) => extra(&array.extra, &classes.array),
            Value::Hash(hash) => extra(&hash.extra, &classes.hash),
            Value::Range(_) => classes.range.clone(),
            Value::Regexp(_) => classes.regexp.clone(),
            Value::Proc(_) => classes.proc.clone(),
            Value::Class(class) => class.meta().unwrap_or_else(|| classes.class.clone()),
            Value::Object(object) => object.class(),
        }
    }

    /// Whether this is the class that `class_of` gives: asked at every call, so it counts no references.
    #[inline]
    pub(super) fn has_class(&self, value: &Value, class: &Rc<RClass>) -> bool {
        let classes = &self.classes;
        match value {
            Value::Int(_) => Rc::ptr_eq(&classes.integer, class),
            Value::Str(string) if string.extra.is_empty() => Rc::ptr_eq(&classes.string, class),
            Value::Array(array) if array.extra.is_empty() => Rc::ptr_eq(&classes.array, class),
            Value::Hash(hash) if hash.extra.is_empty() => Rc::ptr_eq(&classes.hash, class),
            Value::Object(object) => object.has_class(class),
            other => Rc::ptr_eq(&self.class_of(other), class),
        }
    }

    /// The class as Ruby's `class` gives it.
    pub fn real_class(&self, value: &Value) -> Rc<RClass> {
        if let Value::Class(class) = value {
            return if class.is_module { self.classes.module.clone() } else { self.classes.class.clone() };
        }
        let mut class = self.class_of(value);
        while class.is_singleton() {
            let Some(superclass) = class.superclass() else { break };
            class = superclass;
        }
        class
    }

    /// `value.is_a?(class)`
    pub fn is_a(&self, value: &Value, class: &Rc<RClass>) -> bool {
        self.class_of(value).is_a(class)
    }

    /// Reads the table of one builtin class. The class itself is made if it is not there yet, so that several tables
    /// can add to one class.
    pub(in crate::ruby) fn install(&mut self, table: &ClassDef) {
        let class = self.builtin_class(table);
        for name in table.includes {
            if let Some(module) = self.class_named(name) {
                class.included.borrow_mut().push(module);
            }
        }
        let target = Value::Class(class.clone());
        let meta = self.singleton_class(&target);
        for (methods, into, visibility) in [
            (table.methods, &class, Visibility::Public),
            (table.functions, &class, Visibility::Private),
            (table.functions, &meta, Visibility::Public),
            (table.singleton_methods, &meta, Visibility::Public),
        ] {
            for MethodDef(name, arity, run) in methods.iter().copied().flatten() {
                let body = Body::Native { run: *run, arity: *arity };
                let name = Sym::new(name);
                into.put_method(name, Rc::new(Method { name, owner: into.clone(), visibility, body }));
            }
        }
        self.epoch += 1;
        if let Some(setup) = table.setup {
            setup(self, &class);
        }
    }

    fn builtin_class(&mut self, table: &ClassDef) -> Rc<RClass> {
        if let Some(known) = self.class_named(table.name) {
            return known;
        }
        let superclass = table.superclass.map(|name| {
            let class = self.class_named(name);
            debug_assert!(class.is_some(), "{} stands before its superclass {name}", table.name);
            class.unwrap_or_else(|| self.classes.object.clone())
        });
        let class = self.make_class(Some(table.name), superclass, table.is_module);
        let (scope, name) = match table.name.rsplit_once("::") {
            Some((scope, name)) => (self.class_named(scope), name),
            None => (None, table.name),
        };
        let scope = scope.unwrap_or_else(|| self.classes.object.clone());
        scope.set_constant(Sym::new(name), Value::Class(class.clone()));
        self.constant_epoch += 1;
        self.classes.settle(&class);
        class
    }

    /// A new class (of Object, where no superclass is given) or module, with a class of its own.
    pub fn make_class(
        &mut self,
        name: Option<&str>,
        superclass: Option<Rc<RClass>>,
        is_module: bool,
    ) -> Rc<RClass> {
        let superclass =
            if is_module { None } else { Some(superclass.unwrap_or_else(|| self.classes.object.clone())) };
        let above = match &superclass {
            Some(superclass) => superclass.meta().unwrap_or_else(|| self.classes.class.clone()),
            None => self.classes.module.clone(),
        };
        let class = RClass::new(name, superclass, is_module, None);
        class.set_meta(RClass::new(None, Some(above), false, Some(Value::Class(class.clone()))));
        self.every_class.push(class.clone());
        class
    }

    /// The class or module of a full name, `JSON::ParserError`.
    pub fn class_named(&self, path: &str) -> Option<Rc<RClass>> {
        let mut class = self.classes.object.clone();
        for name in path.split("::") {
            let Value::Class(inner) = class.constant(Sym::new(name))? else { return None };
            class = inner;
        }
        Some(class)
    }

    /// The class of one object alone, made when first asked for. Numbers and symbols have none.
    pub fn singleton_class(&mut self, value: &Value) -> Rc<RClass> {
        let class = self.class_of(value);
        if class.is_singleton() && class.attached().is_some_and(|attached| attached.is_same(value)) {
            return class;
        }
        let singleton = RClass::new(None, Some(class.clone()), false, Some(value.clone()));
        match value {
            Value::Object(object) => object.set_class(singleton.clone()),
            Value::Str(string) => string.extra.set_class(singleton.clone()),
            Value::Array(array) => array.extra.set_class(singleton.clone()),
            Value::Hash(hash) => hash.extra.set_class(singleton.clone()),
            Value::Class(own) => own.set_meta(singleton.clone()),
            _ => return class,
        }
        self.every_class.push(singleton.clone());
        singleton
    }

    /// Puts a method into a class. Defining the very same code again changes nothing, so that a `def` in code that
    /// runs for every event costs nothing.
    pub fn add_method(&mut self, class: &Rc<RClass>, name: Sym, body: Body, visibility: Visibility) {
        if let (Some(known), Body::Code { code, .. }) = (class.own_method(name), &body)
            && let Body::Code { code: old, .. } = &known.body
            && Rc::ptr_eq(old, code)
            && known.visibility == visibility
        {
            return;
        }
        class.put_method(name, Rc::new(Method { name, owner: class.clone(), visibility, body }));
        self.epoch += 1;
    }

    pub fn remove_method(&mut self, class: &Rc<RClass>, name: Sym) -> bool {
        self.epoch += 1;
        class.take_method(name).is_some()
    }

    /// Adds a module to a class, behind it or (`prepend`) before it.
    pub fn include_module(&mut self, class: &Rc<RClass>, module: &Rc<RClass>, prepend: bool) {
        let list = if prepend { &class.prepended } else { &class.included };
        if !list.borrow().iter().any(|known| Rc::ptr_eq(known, module)) {
            list.borrow_mut().push(module.clone());
        }
        self.epoch += 1;
    }

    pub fn find_method(&self, value: &Value, name: Sym) -> Option<Rc<Method>> {
        self.class_of(value).find_method(name, self.epoch)
    }

    pub fn find_instance_method(&self, class: &Rc<RClass>, name: Sym) -> Option<Rc<Method>> {
        class.find_method(name, self.epoch)
    }

    /// Whether a value has a public method of this name.
    pub fn responds_to(&self, value: &Value, name: Sym) -> bool {
        self.find_method(value, name).is_some_and(|method| method.visibility == Visibility::Public)
    }

    /// An instance of a class without having called `initialize`.
    pub fn allocate(&mut self, class: &Rc<RClass>) -> Outcome {
        if class.is_a(&self.classes.exception) {
            return Ok(Value::native(class, Exception::default()));
        }
        if class.is_a(&self.classes.string) {
            let value = Value::str("");
            if let Value::Str(string) = &value {
                string.extra.set_class(class.clone());
            }
            return Ok(value);
        }
        Ok(Value::Object(Rc::new(RObject::new(class))))
    }
}
