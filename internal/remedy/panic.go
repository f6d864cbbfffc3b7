package remedy

import "fmt"

// A Panic is the panic of a goroutine, which another one that waits for it repeats.
type Panic struct {
	Cause any
	Stack []byte // of the goroutine that panicked
}

// String returns the cause as text.
func (p Panic) String() string { return fmt.Sprint(p.Cause) }
