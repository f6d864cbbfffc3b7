// Package events embeds sample EventBridge events, one per file, named
// <EventName>.<variant>.json. README.md says how certain the shape of each
// sample is and what relight must do with it.
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

// Expected maps the name of each sample to what relight must do with it, which
// is the last column of the tables in README.md. README.md explains the forms of
// that column.
func Expected() map[string]string {
	expected := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(string(Read(readme)), -1) {
		expected[m[1]] = m[2]
	}
	return expected
}

// Read returns a copy of the sample with that name. It panics if All does not
// list the name, because a test without a sample would test nothing.
func Read(name string) []byte {
	raw, err := files.ReadFile(name)
	if err != nil {
		panic(fmt.Sprintf("events: %v", err))
	}
	return raw
}
