package labtest

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/relight-aws/relight/internal/lab"
)

// Two clouds share nothing, and each removes only what belongs to it.
func TestSideBySide(t *testing.T) {
	other, err := lab.Start(t.Context(), lab.Options{Venv: venv()})
	must(t, err)
	defer other.Close()
	cli(t, lab.Region, "logs", "create-log-group", "--log-group-name", "side-by-side")
	if got := len(other.Tap.Calls(nil)); got != 0 {
		t.Errorf("the other tap saw %d calls", got)
	}
	must(t, other.Close())
	if _, err := http.Get(other.Endpoint); err == nil {
		t.Error("the endpoint answers after Close")
	}
	if _, err := http.Get(other.Emulator.URL); err == nil {
		t.Error("the emulator answers after Close")
	}
	if _, err := os.Stat(other.Emulator.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its directory after Close: %v", err)
	}
}

// When its context ends, a cloud stops completely.
func TestEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, err := lab.Start(ctx, lab.Options{Venv: venv()})
	must(t, err)
	cancel()
	select {
	case <-c.Emulator.Exited():
	case <-time.After(10 * time.Second):
		t.Fatal("the emulator is still running")
	}
	must(t, c.Close())
}

// orphan names the variable that makes a test process start an emulator in the
// directory given by the value, and then kill itself.
const orphan = "LABTEST_ORPHAN"

// When a parent is killed, its emulator ends too.
func TestDiesWithItsParent(t *testing.T) {
	if dir := os.Getenv(orphan); dir != "" {
		e, err := lab.StartEmulator(t.Context(), lab.EmulatorOptions{Venv: venv(), Dir: dir})
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, "url"), []byte(e.URL), 0o600))
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDiesWithItsParent$")
	child.Env = append(os.Environ(), orphan+"="+dir)
	out, err := child.CombinedOutput()
	url, readErr := os.ReadFile(filepath.Join(dir, "url"))
	if err == nil || readErr != nil {
		t.Fatalf("child: %v, %v: %s", err, readErr, out)
	}
	for range 100 {
		if _, err := http.Get(string(url)); err != nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("the emulator outlived its parent")
}

// If something is missing, the error says what to do.
func TestWhatIsMissing(t *testing.T) {
	_, err := lab.Start(t.Context(), lab.Options{Venv: filepath.Join(t.TempDir(), "none")})
	if err == nil || !strings.Contains(err.Error(), "pip install -r requirements.txt") {
		t.Errorf("without a virtual environment: %v", err)
	}
	bare := t.TempDir()
	must(t, os.Mkdir(filepath.Join(bare, "bin"), 0o755))
	python, err := exec.LookPath("python3")
	must(t, err)
	must(t, os.Symlink(python, filepath.Join(bare, "bin", "python")))
	_, err = lab.Start(t.Context(), lab.Options{Venv: bare})
	if err == nil || !strings.Contains(err.Error(), "install requirements.txt") {
		t.Errorf("with an empty virtual environment: %v", err)
	}
}
