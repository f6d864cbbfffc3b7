// Package events holds sample EventBridge events, one per file, named
// <EventName>.<variant>.json. README.md says how well the shape of each is
// known and what relight should make of it.
package events

import (
	"embed"
	"fmt"
)

//go:embed *.json
var files embed.FS

// All returns the names of the samples, sorted.
func All() []string {
	entries, err := files.ReadDir(".") // sorted by name
	if err != nil {
		panic(fmt.Sprintf("events: %v", err)) // the root of an embed.FS always reads
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Read returns a copy of the sample with that name. It panics on a name that
// is not in All: the names are fixed when a test is written, and one that
// reads nothing would test nothing.
func Read(name string) []byte {
	raw, err := files.ReadFile(name)
	if err != nil {
		panic(fmt.Sprintf("events: %v", err))
	}
	return raw
}
