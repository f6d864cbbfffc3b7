// Package speed measures how fast relight restores and what a storm of attacks costs, in
// a local cloud of its own.
package speed
