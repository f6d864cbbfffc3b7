package release_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/relight-aws/relight/internal/release"
)

// An archive depends on its files and their time alone, and keeps names, contents and
// whether a file can be run.
func TestArchives(t *testing.T) {
	at := time.Date(2026, time.March, 1, 12, 0, 0, 999, time.UTC)
	files := []release.File{{"relight", 0o755, bytes.Repeat([]byte("binary "), 1000)}, {"LICENSE", 0o644, []byte("license")}}
	for name, archive := range map[string]func(time.Time, []release.File) ([]byte, error){"zip": release.Zip, "tar.gz": release.TarGz} {
		first, err := archive(at, files)
		if err != nil {
			t.Fatal(err)
		}
		other := slices.Clone(files)
		slices.Reverse(other)
		second, err := archive(at.In(time.FixedZone("", 5*3600)), other)
		if err != nil || !bytes.Equal(first, second) {
			t.Errorf("%s: two archives of the same files differ, %v", name, err)
		}
		later, err := archive(at.Add(time.Hour), files)
		if err != nil || bytes.Equal(first, later) {
			t.Errorf("%s: an archive of another time is the same, %v", name, err)
		}
	}

	raw, err := release.Zip(at, files)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	if len(z.File) != 2 || z.File[1].Name != "relight" || z.File[1].Mode() != 0o755 || z.File[0].Mode() != 0o644 || !z.File[0].Modified.Equal(at.Truncate(time.Second)) {
		t.Errorf("the zip archive has %+v", z.File)
	}
	if raw, err = release.TarGz(at, files); err != nil {
		t.Fatal(err)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(unzipped)
	for _, want := range []release.File{files[1], files[0]} {
		h, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil || h.Name != want.Name || h.Mode != int64(want.Mode) || !bytes.Equal(data, want.Data) || !h.ModTime.Equal(at.Truncate(time.Second)) || h.Uname != "" || h.Uid != 0 {
			t.Errorf("the tar archive has %+v, %v", h, err)
		}
	}
}

func TestSums(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"b.zip": "b", "a.tar.gz": "a", release.SumsFile: "an older one"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := release.Sums(dir); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, release.SumsFile))
	const want = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  a.tar.gz\n" +
		"3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d  b.zip\n"
	if err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
	if tool, err := exec.LookPath("sha256sum"); err == nil {
		cmd := exec.CommandContext(t.Context(), tool, "--check", "--strict", release.SumsFile)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
}
