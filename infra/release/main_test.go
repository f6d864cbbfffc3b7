package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Each system has an archive of the kind that is usual there, with the command and the
// license.
func TestCommands(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{"linux_arm64/relight", "windows_amd64/relight.exe"} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(path), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o, err := parse([]string{"-out", t.TempDir(), "-commands", dir, "-epoch", "1767225600"})
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("../..") // where the license is
	if err := o.writeCommands(); err != nil {
		t.Fatal(err)
	}
	archives, err := filepath.Glob(filepath.Join(o.out, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for i, path := range archives {
		archives[i] = filepath.Base(path)
	}
	if diff := cmp.Diff([]string{"relight_development_linux_arm64.tar.gz", "relight_development_windows_amd64.zip"}, archives); diff != "" {
		t.Errorf("archives (-want +got):\n%s", diff)
	}
	windows, err := zip.OpenReader(filepath.Join(o.out, archives[1]))
	if err != nil {
		t.Fatal(err)
	}
	defer windows.Close()
	var names []string
	for _, f := range windows.File {
		names = append(names, f.Name)
	}
	if !slices.Equal(names, []string{"LICENSE", "relight.exe"}) {
		t.Errorf("the archive for Windows has %v", names)
	}
}

func TestOptions(t *testing.T) {
	regions := filepath.Join(t.TempDir(), "regions.json")
	if err := os.WriteFile(regions, []byte(`{"regions":["eu-west-1"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, `-epoch "" is no time`},
		{[]string{"-epoch", "0"}, "no time since 1980-01-01"},
		{[]string{"-epoch", "1767225600", "-arch", "arm64,mips"}, `architecture "mips"`},
		{[]string{"-epoch", "1767225600", "-config", "none.json"}, "none.json"},
		{[]string{"-epoch", "1767225600", "-config", regions}, "regions needs homeRegion"},
	} {
		if _, err := parse(tt.args); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %v, want %q", tt.args, err, tt.want)
		}
	}
	o, err := parse([]string{"-epoch", "1767225600", "-arch", "arm64,x86_64"})
	if err != nil || len(o.archs) != 2 || len(o.homes()) != 2 || o.homes()["us-east-1"] != "us-east-1" {
		t.Errorf("%+v, %v", o, err)
	}
}
