//! Local variables: which slot of which environment a name stands for.

/// The variables of one method, class body or block.
struct Scope {
    names: Vec<String>,
    /// Blocks see the variables around them.
    is_block: bool,
    /// Whether its variables outlive the run of code for one event: those of code that runs once.
    is_lasting: bool,
    /// How many loops stand around the code, within this scope.
    loops: usize,
    /// A block without parameters, in which `it` stands for its argument.
    it: Option<It>,
}

/// Whether a block uses `it`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum It {
    Unused,
    Used(u32),
}

/// The scopes around the code that is being compiled, innermost last.
#[derive(Default)]
pub(super) struct Scopes {
    scopes: Vec<Scope>,
}

impl Scopes {
    fn enter(&mut self, is_block: bool, is_lasting: bool) {
        self.scopes.push(Scope { names: Vec::new(), is_block, is_lasting, loops: 0, it: None });
    }

    /// Enters a method or the body of a class: nothing around is seen.
    pub fn enter_body(&mut self, is_lasting: bool) {
        self.enter(false, is_lasting);
    }

    pub fn enter_block(&mut self) {
        self.enter(true, false);
    }

    /// Whether the scope so many environments out outlives the run of code for one event.
    pub fn is_lasting(&self, depth: u32) -> bool {
        self.scopes.iter().rev().nth(depth as usize).is_some_and(|scope| scope.is_lasting)
    }

    /// Leaves the innermost scope; how many slots it needs.
    pub fn leave(&mut self) -> usize {
        self.scopes.pop().map_or(0, |scope| scope.names.len())
    }

    /// Finds a variable: how many environments out, and its slot there.
    pub fn find(&self, name: &str) -> Option<(u32, u32)> {
        for (depth, scope) in (0..).zip(self.scopes.iter().rev()) {
            if let Some(slot) = scope.names.iter().rposition(|known| known == name) {
                return Some((depth, slot as u32));
            }
            if !scope.is_block {
                return None;
            }
        }
        None
    }

    /// Finds a variable, or makes it one of the innermost scope.
    pub fn find_or_declare(&mut self, name: &str) -> (u32, u32) {
        self.find(name).unwrap_or_else(|| (0, self.declare(name)))
    }

    /// Makes a new variable of the innermost scope, hiding those around of the same name.
    pub fn declare(&mut self, name: &str) -> u32 {
        let Some(scope) = self.scopes.last_mut() else { return 0 };
        scope.names.push(name.to_owned());
        (scope.names.len() - 1) as u32
    }

    pub fn enter_loop(&mut self) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.loops += 1;
        }
    }

    pub fn leave_loop(&mut self) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.loops -= 1;
        }
    }

    /// Whether `break` and `next` here belong to a loop rather than to a block.
    pub fn in_loop(&self) -> bool {
        self.scopes.last().is_some_and(|scope| scope.loops > 0)
    }

    /// Says that the innermost block has no parameters.
    pub fn allow_it(&mut self) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.it = Some(It::Unused);
        }
    }

    /// The slot of `it`, if the innermost scope is a block without parameters.
    pub fn use_it(&mut self) -> Option<u32> {
        match self.scopes.last()?.it? {
            It::Used(slot) => Some(slot),
            It::Unused => {
                let slot = self.declare("it");
                self.scopes.last_mut()?.it = Some(It::Used(slot));
                Some(slot)
            }
        }
    }

    /// The slot of `it`, if it was used.
    pub fn it_slot(&self) -> Option<u32> {
        match self.scopes.last()?.it? {
            It::Used(slot) => Some(slot),
            It::Unused => None,
        }
    }
}
