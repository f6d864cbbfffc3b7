package stack_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relight-aws/relight/infra/stack"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

// elfHeader returns the smallest ELF binary that names its processor.
func elfHeader(arch stack.Arch) []byte {
	h := elf.Header64{
		Ident:   [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:    uint16(elf.ET_EXEC),
		Machine: uint16(elf.EM_AARCH64),
		Version: uint32(elf.EV_CURRENT),
	}
	if arch == stack.X86 {
		h.Machine = uint16(elf.EM_X86_64)
	}
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, h); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func build(t *testing.T, arch stack.Arch, functions ...catalog.Function) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range functions {
		if err := os.WriteFile(filepath.Join(dir, string(f)), elfHeader(arch), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestStage(t *testing.T) {
	c, err := config.Parse([]byte(`{"prefix":"acme","regions":["eu-central-1"],"audit":{"securityHub":{}}}`))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := stack.Stage(dir, build(t, stack.ARM64, catalog.Binaries()...), c, stack.ARM64); err != nil {
		t.Fatal(err)
	}
	for _, f := range catalog.Binaries() {
		got, err := config.Load(filepath.Join(dir, string(f), catalog.ConfigFile))
		if err != nil || got.Prefix != "acme" || got.FlowLogs.LogGroup != "acme-flow-logs" {
			t.Errorf("%s: configuration %+v, %v; want the completed one", f, got, err)
		}
		for name, want := range map[string]os.FileMode{"bootstrap": 0o755, catalog.ConfigFile: 0o644} {
			info, err := os.Stat(filepath.Join(dir, string(f), name))
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != want {
				t.Errorf("%s/%s has mode %v, want %v: others must be able to run it", f, name, info.Mode().Perm(), want)
			}
		}
	}
}

func TestStageRefuses(t *testing.T) {
	tests := []struct {
		name, binaries, want string
	}{
		{"missing", build(t, stack.ARM64, catalog.Backfill), "is not built: run make build"},
		{"other processor", build(t, stack.X86, catalog.Functions()...), "built for EM_X86_64, want EM_AARCH64: run make build with RELIGHT_ARCH=arm64"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := stack.Stage(t.TempDir(), tt.binaries, config.Config{}, stack.ARM64)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Stage = %v, want an error that says %q", err, tt.want)
			}
		})
	}
}

func TestParseArch(t *testing.T) {
	for in, want := range map[string]stack.Arch{"": stack.ARM64, "arm64": stack.ARM64, "x86_64": stack.X86} {
		if got, err := stack.ParseArch(in); got != want || err != nil {
			t.Errorf("ParseArch(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	if got, err := stack.ParseArch("amd64"); err == nil {
		t.Errorf("ParseArch(amd64) = %q, want an error that lists the architectures", got)
	}
}
