//! Making exceptions, with the messages of Ruby 3.4.

use std::rc::Rc;

use super::Interp;
use crate::ruby::control::{Control, Jump};
use crate::ruby::symbol::Sym;
use crate::ruby::value::{Exception, RClass, StrBuf, Value};

impl Interp {
    /// An exception on its way: `Err(interp.error("ArgumentError", "..."))`. The class is named in full; one that
    /// does not exist gives a StandardError.
    pub fn error(&mut self, class: &str, message: impl Into<String>) -> Control {
        let class = self.class_named(class).unwrap_or_else(|| self.classes.standard_error.clone());
        let message = Value::str(message);
        self.error_of(&class, message)
    }

    /// An exception of a class, with any message.
    pub fn error_of(&mut self, class: &Rc<RClass>, message: Value) -> Control {
        let exception = Exception::default();
        *exception.message.borrow_mut() = message;
        *exception.backtrace.borrow_mut() = self.backtrace();
        *exception.cause.borrow_mut() = self.last_error.clone();
        Control::raise(Value::native(class, exception))
    }

    pub fn argument_error(&mut self, message: impl Into<String>) -> Control {
        self.error("ArgumentError", message)
    }

    pub fn type_error(&mut self, message: impl Into<String>) -> Control {
        self.error("TypeError", message)
    }

    /// `no implicit conversion of Integer into String`
    pub fn no_conversion(&mut self, value: &Value, into: &str) -> Control {
        let from = self.describe_for_conversion(value);
        self.type_error(format!("no implicit conversion of {from} into {into}"))
    }

    /// What messages of conversions call a value: `nil`, `true`, or its class.
    pub fn describe_for_conversion(&self, value: &Value) -> String {
        match value {
            Value::Nil => "nil".into(),
            Value::Bool(flag) => flag.to_string(),
            _ => self.class_name(&self.real_class(value)),
        }
    }

    /// `incompatible encodings: UTF-8 and ASCII-8BIT`
    pub fn incompatible(&mut self, what: &str, left: &StrBuf, right: &StrBuf) -> Control {
        let (left, right) = (left.encoding().name(), right.encoding().name());
        self.error("Encoding::CompatibilityError", format!("{what}: {left} and {right}"))
    }

    /// `wrong number of arguments (given 1, expected 2)`
    pub fn wrong_count(&mut self, given: usize, expected: &str) -> Control {
        self.argument_error(format!("wrong number of arguments (given {given}, expected {expected})"))
    }

    /// The NoMethodError of a method that is not there.
    pub fn no_method(&mut self, receiver: &Value, name: Sym, is_bare: bool) -> Control {
        let shown = describe_receiver(self, receiver);
        let error = if is_bare {
            self.error("NameError", format!("undefined local variable or method '{name}' for {shown}"))
        } else {
            self.error("NoMethodError", format!("undefined method '{name}' for {shown}"))
        };
        if let Some(Value::Object(exception)) = error.exception() {
            exception.set_ivar(Sym::new("name"), Value::Sym(name));
            exception.set_ivar(Sym::new("receiver"), receiver.clone());
        }
        error
    }

    /// Where the code stands: `file:line:in 'method'`, innermost first.
    pub fn backtrace(&self) -> Vec<String> {
        let mut lines = Vec::with_capacity(self.frames.len().min(100) + 1);
        let (mut file, mut line) = (self.file.clone(), self.line);
        for frame in self.frames.iter().rev().take(100) {
            lines.push(format!("{file}:{line}:in '{}'", frame.name));
            (file, line) = (frame.file.clone(), frame.called_at);
        }
        lines.push(format!("{file}:{line}"));
        lines
    }

    /// The message of an exception (`message`), or its class' name.
    pub fn exception_message(&mut self, exception: &Value) -> String {
        match self.call(exception, "message", &[]) {
            Ok(message) => self.to_s(&message).unwrap_or_default(),
            Err(_) => self.class_name(&self.real_class(exception)),
        }
    }

    /// A jump that nothing caught, as the exception that Ruby makes of it.
    pub fn uncaught(&mut self, control: Control) -> Value {
        let (class, message) = match *control.0 {
            Jump::Raise(exception) => return exception,
            Jump::Throw { tag, .. } => {
                let tag = self.inspect(&tag).unwrap_or_default();
                ("UncaughtThrowError", format!("uncaught throw {tag}"))
            }
            Jump::Break { .. } | Jump::LoopBreak(_) => ("LocalJumpError", "break from proc-closure".into()),
            Jump::Return { .. } => ("LocalJumpError", "unexpected return".into()),
            Jump::Next(_) | Jump::LoopNext => ("LocalJumpError", "unexpected next".into()),
            Jump::Redo => ("LocalJumpError", "unexpected redo".into()),
            Jump::Retry => ("LocalJumpError", "unexpected retry".into()),
        };
        match *self.error(class, message).0 {
            Jump::Raise(exception) => exception,
            _ => Value::Nil,
        }
    }
}

/// What NoMethodError calls a receiver.
pub fn describe_receiver(interp: &Interp, receiver: &Value) -> String {
    match receiver {
        Value::Nil => "nil".into(),
        Value::Bool(flag) => flag.to_string(),
        Value::Class(class) if class.is_module => format!("module {}", interp.class_name(class)),
        Value::Class(class) => format!("class {}", interp.class_name(class)),
        other if other.is_same(&interp.main) => "main:Object".into(),
        other => format!("an instance of {}", interp.class_name(&interp.real_class(other))),
    }
}
