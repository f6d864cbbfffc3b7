// Package events holds sample EventBridge events, one per file, named
// <EventName>.<variant>.json. README.md says how well the shape of each is
// known and what relight must do with it.
package events

import (
	"embed"
	"fmt"
	"regexp"
)

//go:embed *.json README.md
var files embed.FS

// All returns the names of the samples, sorted.
func All() []string {
	entries, err := files.ReadDir(".") // sorted by name
	if err != nil {
		panic(fmt.Sprintf("events: %v", err)) // the root of an embed.FS always reads
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		if e.Name() != readme {
			names = append(names, e.Name())
		}
	}
	return names
}

const readme = "README.md"

var row = regexp.MustCompile("(?m)^\\| `([^`]+\\.json)` \\|.*\\| ([^|]+) \\|$")

// Expected returns what relight must do with each sample, by name: the last
// column of the tables in README.md, which explains its forms.
func Expected() map[string]string {
	expected := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(string(Read(readme)), -1) {
		expected[m[1]] = m[2]
	}
	return expected
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
