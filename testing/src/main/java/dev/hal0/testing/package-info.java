/** Fakes and generated material for the tests of every module. Never on a product class path. */
@NullMarked
package dev.hal0.testing;

import org.jspecify.annotations.NullMarked;
