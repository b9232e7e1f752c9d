//! Worlds for the workers: one for each that runs at a time where the script keeps no state, else one for all.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::ruby::{Traits, World};

/// Scripts with global variables share one world, as all of a Logstash process do.
static COMMON: LazyLock<Arc<Mutex<World>>> = LazyLock::new(|| Arc::new(Mutex::new(World::new())));

/// Brings a script into a world; nothing when that fails.
type Load<T> = Box<dyn Fn(&mut World) -> Option<T> + Send + Sync>;

/// Worlds with a script loaded into each; `T` says where it is.
#[expect(clippy::large_enum_variant, reason = "one for each filter")]
pub(super) enum Worlds<T> {
    /// Those no worker uses just now.
    Pool {
        free: Mutex<Vec<(World, T)>>,
        load: Load<T>,
    },
    One(Mutex<(World, T)>),
    Common(Arc<Mutex<World>>, T),
}

impl<T: Copy + Send + Sync> Worlds<T> {
    /// Loads a script once, to see whether it can be; a pool loads it again for further workers.
    ///
    /// # Errors
    /// What the first loading gave.
    pub fn load<E>(
        traits: Traits,
        load: impl Fn(&mut World) -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<Worlds<T>, E> {
        if traits.uses_globals {
            let common = COMMON.clone();
            let loaded = load(&mut common.lock().unwrap_or_else(PoisonError::into_inner))?;
            return Ok(Worlds::Common(common, loaded));
        }
        let mut world = World::new();
        let loaded = load(&mut world)?;
        if traits.keeps_state {
            return Ok(Worlds::One(Mutex::new((world, loaded))));
        }
        let free = Mutex::new(vec![(world, loaded)]);
        Ok(Worlds::Pool { free, load: Box::new(move |world| load(world).ok()) })
    }

    /// Works in a world. `None` where a further one could not be made, though the first could.
    pub fn with<R>(&self, work: impl FnOnce(&mut World, T) -> R) -> Option<R> {
        match self {
            Worlds::Common(world, loaded) => {
                let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
                Some(work(&mut world, *loaded))
            }
            Worlds::One(one) => {
                let mut one = one.lock().unwrap_or_else(PoisonError::into_inner);
                let (world, loaded) = &mut *one;
                Some(work(world, *loaded))
            }
            Worlds::Pool { free, load } => {
                let taken = free.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let (mut world, loaded) = match taken {
                    Some(taken) => taken,
                    None => {
                        let mut world = World::new();
                        let loaded = load(&mut world)?;
                        (world, loaded)
                    }
                };
                let result = work(&mut world, loaded);
                free.lock().unwrap_or_else(PoisonError::into_inner).push((world, loaded));
                Some(result)
            }
        }
    }
}
