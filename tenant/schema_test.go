package tenant_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/tenant"
)

func labels(names ...string) easel.LabelSchema {
	s := easel.LabelSchema{Labels: []easel.Label{}, Open: true}
	for _, n := range names {
		s.Labels = append(s.Labels, easel.Label{Name: n})
	}
	return s
}

func TestSchemaHasVersions(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	never := tenant.SchemaReply{LabelSchema: labels()}
	if diff := cmp.Diff(never, must[tenant.SchemaReply](w, tenant.Schema{})); diff != "" {
		t.Error(diff)
	}
	low, high := 0.0, 5.0
	rich := easel.LabelSchema{Labels: []easel.Label{{
		Name: "cat", Color: "#00ff00", Key: "1",
		Attributes: []easel.LabelAttribute{
			{Name: "fur", Type: easel.AttributeSelect, Values: []string{"short", "<long>"}, Required: true},
			{Name: "age", Type: easel.AttributeNumber, Min: &low, Max: &high},
		},
	}}}
	first := must[tenant.SchemaReply](w, tenant.SchemaPut{By: admin, Schema: rich, If: tenant.Condition{IfMatch: "0"}})
	want := tenant.SchemaReply{Version: 1, LabelSchema: rich, UpdatedBy: "adam", UpdatedAt: easel.At(w.now)}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(first, must[tenant.SchemaReply](w, tenant.SchemaPut{By: owner, Schema: rich})); diff != "" {
		t.Errorf("an equal one: %s", diff)
	}
	second := must[tenant.SchemaReply](w, tenant.SchemaPut{By: owner, Schema: labels("dog"), If: tenant.Condition{IfMatch: "7,1"}})
	for version, want := range map[int64]tenant.SchemaReply{0: second, 1: first, 2: second} {
		if diff := cmp.Diff(want, must[tenant.SchemaReply](w, tenant.Schema{Version: version})); diff != "" {
			t.Errorf("version %d: %s", version, diff)
		}
	}
	w.refused(easel.CodeNotFound, tenant.Schema{Version: 3})
	versions := must[tenant.SchemaVersionsReply](w, tenant.SchemaVersions{}).Versions
	if len(versions) != 2 || versions[0].Version != 2 || versions[0].UpdatedBy != "olga" || versions[1].Version != 1 {
		t.Errorf("versions %v", versions)
	}
}

func TestSchemaIsPutByAdminsOnWhatTheyHaveSeen(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	w.refused(easel.CodeForbidden, tenant.SchemaPut{By: reviewer, Schema: labels("a")})
	w.refused(easel.CodeConflict, tenant.SchemaPut{By: admin, Schema: labels("a"), If: tenant.Condition{IfMatch: "*"}})
	must[tenant.SchemaReply](w, tenant.SchemaPut{By: admin, Schema: labels("a"), If: tenant.Condition{IfAbsent: true}})
	for _, c := range []tenant.Condition{{IfAbsent: true}, {IfMatch: "0"}, {IfMatch: "2"}, {IfMatch: "x"}} {
		e := w.refused(easel.CodeConflict, tenant.SchemaPut{By: admin, Schema: labels("b"), If: c})
		if !strings.HasPrefix(string(e.Current), `{"version":1,"labels":[{"name":"a"}],"open":true,"updated_by":"adam"`) {
			t.Errorf("current %s", e.Current)
		}
	}
	must[tenant.SchemaReply](w, tenant.SchemaPut{By: admin, Schema: labels("b"), If: tenant.Condition{IfMatch: "*"}})
}

func TestOldSchemasAreForgotten(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	for i := range tenant.KeptSchemas + 2 {
		must[tenant.SchemaReply](w, tenant.SchemaPut{By: admin, Schema: labels(fmt.Sprint(i))})
	}
	w.refused(easel.CodeNotFound, tenant.Schema{Version: 2})
	must[tenant.SchemaReply](w, tenant.Schema{Version: 3})
	if n := len(must[tenant.SchemaVersionsReply](w, tenant.SchemaVersions{}).Versions); n != tenant.KeptSchemas {
		t.Errorf("%d versions", n)
	}
}

func TestSchemasThatAreNone(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	with := func(a easel.LabelAttribute) easel.LabelSchema {
		return easel.LabelSchema{Labels: []easel.Label{{Name: "a"}, {Name: "b", Attributes: []easel.LabelAttribute{{Name: "x", Type: "text"}, a}}}}
	}
	two, one := 2.0, 1.0
	for _, tt := range []struct {
		name   string
		schema easel.LabelSchema
		path   string
	}{
		{"no name", labels("a", ""), "labels[1].name"},
		{"long name", labels(strings.Repeat("é", 101)), "labels[0].name"},
		{"same name", labels("a", "b", "a"), "labels[2].name"},
		{"too many", labels(make([]string, easel.MaxLabels+1)...), "labels"},
		{"color by name", easel.LabelSchema{Labels: []easel.Label{{Name: "a", Color: "red"}}}, "labels[0].color"},
		{"key of two", easel.LabelSchema{Labels: []easel.Label{{Name: "a", Key: "ab"}}}, "labels[0].key"},
		{"key of a blank", easel.LabelSchema{Labels: []easel.Label{{Name: "a", Key: " "}}}, "labels[0].key"},
		{"same key", easel.LabelSchema{Labels: []easel.Label{{Name: "a", Key: "é"}, {Name: "b", Key: "é"}}}, "labels[1].key"},
		{"same attribute", with(easel.LabelAttribute{Name: "x", Type: "text"}), "labels[1].attributes[1].name"},
		{"unknown type", with(easel.LabelAttribute{Name: "y", Type: "date"}), "labels[1].attributes[1].type"},
		{"select of nothing", with(easel.LabelAttribute{Name: "y", Type: "select"}), "labels[1].attributes[1].values"},
		{"select of the same", with(easel.LabelAttribute{Name: "y", Type: "select", Values: []string{"a", "a"}}), "labels[1].attributes[1].values[1]"},
		{"values of a text", with(easel.LabelAttribute{Name: "y", Type: "text", Values: []string{"a"}}), "labels[1].attributes[1].values"},
		{"least of a text", with(easel.LabelAttribute{Name: "y", Type: "text", Min: &one}), "labels[1].attributes[1].min"},
		{"empty span", with(easel.LabelAttribute{Name: "y", Type: "number", Min: &two, Max: &one}), "labels[1].attributes[1].max"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := w.refused(easel.CodeInvalid, tenant.SchemaPut{By: admin, Schema: tt.schema})
			if len(e.Details) != 1 || e.Details[0].Path != tt.path {
				t.Errorf("details %v, want %s", e.Details, tt.path)
			}
		})
	}
	long := easel.LabelSchema{Labels: []easel.Label{{Name: "a"}}}
	for i := range 64 {
		a := easel.LabelAttribute{Name: fmt.Sprint(i), Type: "select"}
		for j := range 10 {
			a.Values = append(a.Values, strings.Repeat("x", 900)+fmt.Sprint(j))
		}
		long.Labels[0].Attributes = append(long.Labels[0].Attributes, a)
	}
	w.refused(easel.CodeTooLarge, tenant.SchemaPut{By: admin, Schema: long})
}
