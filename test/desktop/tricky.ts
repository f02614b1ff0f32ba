/** Entries with what is seldom met, as their files' text. */
export const tricky: Readonly<Record<string, string>> = {
  plain: `[Desktop Entry]
Type=Application
Version=1.5
Name=Plain
Exec=plain
`,
  'quoted words':
    String.raw`[Desktop Entry]
Type=Application
Name=Quoted
Exec="/opt/My App/run me" "a b" --x="c d" "" "\\$HOME \\"x\\" ` +
    '\\\\`' +
    String.raw` \\\\" %U
`,
  'percent signs': `[Desktop Entry]
Type=Application
Name=100 %
Exec=printf %%s%% "%%U" %u
`,
  'escapes at both levels': String.raw`[Desktop Entry]
Type=Application
Name=Back\\slash\sand\tmore
Exec=sh -c "printf '%%s\\\\n' \\"\\$1\\"" sh %f
`,
  'a variable ahead': `[Desktop Entry]
Type=Application
Name=Env
TryExec=app
Exec=env FOO=bar BAR="a b" app %U
`,
  actions: `[Desktop Entry]
Type=Application
Name=Actions
Exec=app
Actions=new;private;

[Desktop Action new]
Name=New window
Name[de]=Neues Fenster
Exec=app --new

[Desktop Action private]
Name=Private
Exec="app" --private %u
`,
  languages: `[Desktop Entry]
Type=Application
Name=Browser
Name[de]=Netzfenster
Name[sr@latin]=Pregledač
Name[pt_BR]=Voilà
Name[ja]=ブラウザ
GenericName=Web Browser
GenericName[de]=Netzbetrachter
Comment[de]=Name=nicht
X-GNOME-FullName=Full Browser
Exec=browser %u
`,
  'line ends of DOS': '[Desktop Entry]\r\nType=Application\r\nName=Dos\r\nExec=dos %f\r\nTerminal=false\r\n',
  'no line end at the end': '[Desktop Entry]\nType=Application\nName=End\nExec=end --x %F',
  comments: `# Exec=not this one
#
# Name=nor this

[Desktop Entry]
# Exec=nor this
Type=Application

Name=Comments
   
#Exec=nor
Exec=comments # %i
# the end`,
  'spaces around':
    '[Desktop Entry]\nType = Application\nName =  Spaces  \n  Exec  =   spaces   "x"   \nTryExec= spaces\n',
  'groups twice': `[Desktop Entry]
Type=Application
Name=First
Exec=first
[X-Other]
Name=Other
Value=1
[Desktop Entry]
Name=Second
Exec=second
`,
  'keys twice': '[Desktop Entry]\nType=Application\nName=One\nName=Two\nExec=one\nExec=two %u\n',
  'started by D-Bus': `[Desktop Entry]
Type=Application
Name=Bus
DBusActivatable=true
Exec=bus %U
Actions=x;
[Desktop Action x]
Name=X
Exec=bus --x
`,
  'in no menu': '[Desktop Entry]\nType=Application\nName=Silent\nNoDisplay=true\nExec=silent %u\n',
  'old quick lists': `[Desktop Entry]
Type=Application
Name=Lists
Exec=lists
X-Ayatana-Desktop-Shortcuts=One
[One Shortcut Group]
Name=One
Exec=lists --one
TargetEnvironment=Unity
`,
  'a terminal': '[Desktop Entry]\nType=Application\nName=Term\nTerminal=true\nPath=/\nExec=term %k %c\n',
};

/** Entries that no copy can be made of, and what via says. */
export const useless: Readonly<Record<string, readonly [text: string, says: RegExp]>> = {
  link: ['[Desktop Entry]\nType=Link\nName=Link\nURL=http://x/\n', /is no application \(Type=Link\)$/],
  directory: ['[Desktop Entry]\nType=Directory\nName=Dir\n', /is no application \(Type=Directory\)$/],
  'no type': ['[Desktop Entry]\nName=None\nExec=none\n', /is no application \(Type=\)$/],
  hidden: ['[Desktop Entry]\nType=Application\nName=H\nHidden=true\nExec=h\n', /is marked as deleted \(Hidden=true\)$/],
  'no command': ['[Desktop Entry]\nType=Application\nName=D\nDBusActivatable=true\n', /has no command \(Exec\) \(/],
  'an empty command': ['[Desktop Entry]\nType=Application\nName=D\nExec=  \n', /has no command \(Exec\) \(/],
  'a text': ['Hello\nExec=x\n', /is no desktop entry$/],
  nothing: ['', /is no desktop entry$/],
};
