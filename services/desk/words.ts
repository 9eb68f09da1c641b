/** Every word of the desk, in its languages. `{n}` and its kin are filled in; `{n|one|more}` goes by the number. */
export const LANGUAGES = ['en', 'de', 'fr'] as const;
export type Language = (typeof LANGUAGES)[number];

export const WORDS = {
  // Around everything
  title: ['Sluice desk', 'Sluice-Pult', 'Bureau Sluice'],
  skip: ['Skip to the content', 'Zum Inhalt springen', 'Aller au contenu'],
  mainNav: ['Desk', 'Pult', 'Bureau'],
  queue: ['Queue', 'Warteschlange', 'File'],
  deadLetters: ['Dead letters', 'Unzustellbares', 'Messages morts'],
  policy: ['Policy', 'Regeln', 'Règles'],
  operations: ['Operations', 'Betrieb', 'Exploitation'],
  audit: ['Audit log', 'Protokoll', 'Journal'],
  people: ['People', 'Personen', 'Personnes'],
  sites: ['Sites', 'Websites', 'Sites'],
  settings: ['Settings', 'Einstellungen', 'Préférences'],
  site: ['Site', 'Website', 'Site'],
  allSites: ['All sites', 'Alle Websites', 'Tous les sites'],
  signOut: ['Sign out', 'Abmelden', 'Se déconnecter'],
  language: ['Language', 'Sprache', 'Langue'],
  help: ['Shortcuts', 'Tastenkürzel', 'Raccourcis'],
  close: ['Close', 'Schließen', 'Fermer'],
  cancel: ['Cancel', 'Abbrechen', 'Annuler'],
  save: ['Save', 'Speichern', 'Enregistrer'],
  add: ['Add', 'Hinzufügen', 'Ajouter'],
  remove: ['Remove', 'Entfernen', 'Retirer'],
  back: ['Back', 'Zurück', 'Retour'],
  loading: ['Loading…', 'Lädt…', 'Chargement…'],
  again: ['Try again', 'Noch einmal', 'Réessayer'],
  offline: [
    'The server does not answer. What you do is sent as soon as it is back.',
    'Der Server antwortet nicht. Ihre Aktionen werden gesendet, sobald er wieder da ist.',
    'Le serveur ne répond pas. Vos actions seront envoyées dès son retour.',
  ],
  failedToLoad: ['This could not be read: {why}', 'Das war nicht zu lesen: {why}', 'Lecture impossible : {why}'],
  nothingHere: ['Nothing here', 'Nichts vorhanden', 'Rien ici'],
  // Sign-in
  signIn: ['Sign in', 'Anmelden', 'Se connecter'],
  signInAgain: [
    'Your session has ended. Sign in and go on where you were.',
    'Ihre Sitzung ist abgelaufen. Melden Sie sich an und machen Sie weiter.',
    'Votre session a expiré. Reconnectez-vous pour continuer.',
  ],
  user: ['User', 'Benutzer', 'Utilisateur'],
  password: ['Password', 'Passwort', 'Mot de passe'],
  wrongPassword: [
    'The user or the password is wrong.',
    'Benutzer oder Passwort stimmt nicht.',
    'Utilisateur ou mot de passe incorrect.',
  ],
  locked: [
    'Too many failed sign-ins. Try again in {n} {n|minute|minutes}.',
    'Zu viele Fehlversuche. Versuchen Sie es in {n} {n|Minute|Minuten} wieder.',
    'Trop d’échecs. Réessayez dans {n} {n|minute|minutes}.',
  ],
  // Queue
  held: ['Waiting', 'Wartend', 'En attente'],
  published: ['Published', 'Veröffentlicht', 'Publié'],
  rejected: ['Rejected', 'Abgelehnt', 'Rejeté'],
  spam: ['Spam', 'Spam', 'Indésirable'],
  removed: ['Removed', 'Entfernt', 'Retiré'],
  failed: ['Failed', 'Gescheitert', 'En échec'],
  received: ['Received', 'Eingegangen', 'Reçu'],
  deleted: ['Deleted by its writer', 'Vom Verfasser gelöscht', 'Supprimé par son auteur'],
  erased: ['Erased', 'Getilgt', 'Effacé'],
  everything: ['All', 'Alle', 'Tous'],
  statusTabs: ['Status', 'Status', 'Statut'],
  search: ['Search', 'Suchen', 'Rechercher'],
  searchHint: ['Text, author, id', 'Text, Verfasser, ID', 'Texte, auteur, id'],
  sort: ['Order', 'Reihenfolge', 'Ordre'],
  oldest: ['Oldest first', 'Älteste zuerst', 'Plus anciens'],
  newest: ['Newest first', 'Neueste zuerst', 'Plus récents'],
  risk: ['Most doubtful', 'Bedenklichste', 'Plus douteux'],
  mostReported: ['Most reported', 'Meist gemeldet', 'Plus signalés'],
  filters: ['Filters', 'Filter', 'Filtres'],
  applyFilters: ['Show these', 'Anzeigen', 'Afficher'],
  clearFilters: ['Clear filters', 'Filter löschen', 'Effacer les filtres'],
  filterAuthor: ['Writer', 'Verfasser', 'Auteur'],
  filterThread: ['Thread', 'Beitrag', 'Fil'],
  filterSignal: ['Signal', 'Signal', 'Signal'],
  filterLang: ['Language', 'Sprache', 'Langue'],
  filterHost: ['Link to', 'Link zu', 'Lien vers'],
  filterNetwork: ['Network', 'Netz', 'Réseau'],
  filterDecidedBy: ['Decided by', 'Entschieden von', 'Décidé par'],
  filterSince: ['From', 'Von', 'Du'],
  filterUntil: ['To', 'Bis', 'Au'],
  filterLike: ['Like one comment', 'Wie ein Kommentar', 'Semblables'],
  comments: ['Comments', 'Kommentare', 'Commentaires'],
  total: ['{n} {n|comment|comments}', '{n} {n|Kommentar|Kommentare}', '{n} {n|commentaire|commentaires}'],
  partialList: [
    'searched among the newest 1,000',
    'gesucht in den neuesten 1.000',
    'recherche dans les 1 000 plus récents',
  ],
  emptyQueue: ['Nothing waits. Well done.', 'Nichts wartet. Gut gemacht.', 'Rien n’attend. Bravo.'],
  emptyQueueHint: [
    'New comments appear here by themselves.',
    'Neue Kommentare erscheinen hier von selbst.',
    'Les nouveaux commentaires apparaîtront ici.',
  ],
  emptyList: [
    'No comment fits these filters.',
    'Kein Kommentar passt zu diesen Filtern.',
    'Aucun commentaire ne correspond.',
  ],
  freshOnes: ['{n} new: show', '{n} neue anzeigen', '{n} nouveaux : afficher'],
  tidy: ['Clear {n} decided', '{n} entschiedene ausräumen', 'Ranger {n} traités'],
  waitsSince: ['waits {ago}', 'wartet {ago}', 'attend depuis {ago}'],
  ago: ['{ago} ago', 'vor {ago}', 'il y a {ago}'],
  replyTo: ['reply to {name}', 'Antwort an {name}', 'réponse à {name}'],
  trusted: ['trusted', 'vertraut', 'de confiance'],
  author: ['author', 'Autor', 'auteur'],
  moderator: ['moderator', 'Moderator', 'modérateur'],
  newWriter: ['first comment', 'erster Kommentar', 'premier commentaire'],
  reportsN: ['{n} {n|report|reports}', '{n} {n|Meldung|Meldungen}', '{n} {n|signalement|signalements}'],
  similarN: ['{n} alike', '{n} ähnliche', '{n} semblables'],
  appeal: ['appeal', 'Einspruch', 'recours'],
  edit: ['edit', 'Änderung', 'modification'],
  claimedBy: ['{name} is looking', '{name} sieht es an', '{name} regarde'],
  spamScore: ['spam {n} %', 'Spam {n} %', 'spam {n} %'],
  select: ['Select the comment by {name}', 'Kommentar von {name} auswählen', 'Choisir le commentaire de {name}'],
  openComment: ['Open the comment by {name}', 'Kommentar von {name} öffnen', 'Ouvrir le commentaire de {name}'],
  selected: ['{n} selected', '{n} ausgewählt', '{n} choisis'],
  selectAll: ['Select all shown', 'Alle gezeigten auswählen', 'Tout choisir'],
  selectNone: ['Select none', 'Auswahl aufheben', 'Ne rien choisir'],
  progress: ['{done} of {of} decided', '{done} von {of} entschieden', '{done} sur {of} traités'],
  // Actions
  publish: ['Publish', 'Veröffentlichen', 'Publier'],
  reject: ['Reject', 'Ablehnen', 'Rejeter'],
  markSpam: ['Spam', 'Spam', 'Indésirable'],
  removeIt: ['Remove', 'Entfernen', 'Retirer'],
  restore: ['Restore', 'Wiederherstellen', 'Rétablir'],
  hold: ['Hold', 'Zurückhalten', 'Retenir'],
  keep: ['Keep', 'Behalten', 'Garder'],
  undo: ['Undo', 'Rückgängig', 'Annuler'],
  sending: ['Sending…', 'Wird gesendet…', 'Envoi…'],
  done_publish: ['Published', 'Veröffentlicht', 'Publié'],
  done_reject: ['Rejected', 'Abgelehnt', 'Rejeté'],
  done_spam: ['Marked as spam', 'Als Spam markiert', 'Marqué indésirable'],
  done_remove: ['Removed', 'Entfernt', 'Retiré'],
  done_restore: ['Restored', 'Wiederhergestellt', 'Rétabli'],
  done_hold: ['Held', 'Zurückgehalten', 'Retenu'],
  done_keep: ['Kept, reports dismissed', 'Behalten, Meldungen verworfen', 'Gardé, signalements écartés'],
  doneN: ['{what}: {n} comments', '{what}: {n} Kommentare', '{what} : {n} commentaires'],
  undone: ['Undone', 'Rückgängig gemacht', 'Annulé'],
  undoRefused: ['Not undone: {why}', 'Nicht rückgängig gemacht: {why}', 'Pas annulé : {why}'],
  staleBy: ['Already {status} by {name}', 'Schon {status} durch {name}', 'Déjà {status} par {name}'],
  stale: ['Changed meanwhile: now {status}', 'Inzwischen geändert: jetzt {status}', 'Modifié entre-temps : {status}'],
  notDone: ['Not done: {why}', 'Nicht ausgeführt: {why}', 'Pas fait : {why}'],
  forbidden: ['your role does not allow it', 'Ihre Rolle erlaubt es nicht', 'votre rôle ne le permet pas'],
  missing: ['it is no longer there', 'nicht mehr vorhanden', 'il n’existe plus'],
  whyReject: ['Why reject?', 'Warum ablehnen?', 'Pourquoi rejeter ?'],
  whyRemove: ['Why remove?', 'Warum entfernen?', 'Pourquoi retirer ?'],
  reason_abuse: ['Abuse', 'Beleidigung', 'Injure'],
  'reason_off-topic': ['Off topic', 'Gehört nicht hierher', 'Hors sujet'],
  reason_illegal: ['Illegal', 'Rechtswidrig', 'Illégal'],
  'reason_personal-data': ['Personal data', 'Persönliche Daten', 'Données personnelles'],
  reason_duplicate: ['Duplicate', 'Doppelt', 'Doublon'],
  reason_other: ['Other', 'Anderes', 'Autre'],
  messageToWriter: [
    'Message to the writer (optional)',
    'Nachricht an den Verfasser (freiwillig)',
    'Message à l’auteur (facultatif)',
  ],
  // Detail
  detail: ['Comment', 'Kommentar', 'Commentaire'],
  pickOne: [
    'Choose a comment on the left.',
    'Wählen Sie links einen Kommentar.',
    'Choisissez un commentaire à gauche.',
  ],
  whyHeld: ['Why it was held', 'Warum zurückgehalten', 'Pourquoi retenu'],
  h_score: ['its score', 'sein Wert', 'son score'],
  h_toxicity: ['toxicity', 'Giftigkeit', 'toxicité'],
  h_links: ['many links', 'viele Links', 'beaucoup de liens'],
  h_blocklist: ['a word or host on the list', 'ein Wort oder Ziel der Liste', 'un mot ou hôte de la liste'],
  h_imitation: ['imitates a name of the site', 'ahmt einen Namen der Website nach', 'imite un nom du site'],
  'h_first-comment': [
    'first comments are held',
    'erste Kommentare werden zurückgehalten',
    'premiers commentaires retenus',
  ],
  h_premoderation: ['everything is held', 'alles wird zurückgehalten', 'tout est retenu'],
  h_hours: [
    'written within the hours that hold',
    'in den Stunden geschrieben, die zurückhalten',
    'écrit aux heures de retenue',
  ],
  h_away: ['the site is away', 'die Website ist abwesend', 'le site est absent'],
  h_heat: ['the thread runs hot', 'der Beitrag läuft heiß', 'le fil s’échauffe'],
  h_moderator: ['by a moderator', 'durch einen Moderator', 'par un modérateur'],
  h_reports: ['readers reported it', 'Leser meldeten es', 'signalé par des lecteurs'],
  h_appeal: ['the writer appealed', 'der Verfasser erhob Einspruch', 'l’auteur a fait recours'],
  signals: ['Signals', 'Signale', 'Indices'],
  speaksAgainst: ['against', 'dagegen', 'contre'],
  speaksFor: ['in favour', 'dafür', 'pour'],
  noSignals: ['No signal was recorded.', 'Kein Signal verzeichnet.', 'Aucun indice.'],
  toxicity: ['toxic {n} %', 'giftig {n} %', 'toxique {n} %'],
  writerHistory: ['The writer here', 'Verfasser auf dieser Website', 'L’auteur ici'],
  historyLine: [
    '{published} published · {rejected} rejected · {spam} spam · since {date}',
    '{published} veröffentlicht · {rejected} abgelehnt · {spam} Spam · seit {date}',
    '{published} publiés · {rejected} rejetés · {spam} indésirables · depuis {date}',
  ],
  historyShort: [
    '{published} published, {bad} refused',
    '{published} veröffentlicht, {bad} abgelehnt',
    '{published} publiés, {bad} refusés',
  ],
  noHistory: ['Nothing before this.', 'Nichts vor diesem.', 'Rien avant.'],
  alike: ['What is like it', 'Ähnliche', 'Semblables'],
  showAlike: ['Show all alike', 'Alle ähnlichen zeigen', 'Voir les semblables'],
  inReplyTo: ['In reply to', 'Antwort auf', 'En réponse à'],
  around: ['Around it', 'Umgebung', 'Autour'],
  notes: ['Notes among moderators', 'Notizen unter Moderatoren', 'Notes entre modérateurs'],
  addNote: ['Add a note', 'Notiz hinzufügen', 'Ajouter une note'],
  story: ['The whole story', 'Die ganze Geschichte', 'Toute l’histoire'],
  onPage: ['Open the page', 'Seite öffnen', 'Ouvrir la page'],
  editWaits: [
    'An edit waits. Readers still see the text before.',
    'Eine Änderung wartet. Leser sehen noch den alten Text.',
    'Une modification attend. Les lecteurs voient l’ancien texte.',
  ],
  whatChanged: ['What changed', 'Was sich änderte', 'Ce qui a changé'],
  appealText: ['The writer appeals', 'Der Verfasser erhebt Einspruch', 'L’auteur fait recours'],
  filterWriter: ['All by this writer', 'Alles von diesem Verfasser', 'Tout de cet auteur'],
  // Story
  storyOf: [
    'The story of a comment by {name}',
    'Die Geschichte eines Kommentars von {name}',
    'L’histoire d’un commentaire de {name}',
  ],
  submitted: ['Submitted', 'Abgeschickt', 'Envoyé'],
  judged: [
    'Judged: {verdict}, spam {n} %, policy {policy}, model {model}',
    'Beurteilt: {verdict}, Spam {n} %, Regeln {policy}, Modell {model}',
    'Jugé : {verdict}, spam {n} %, règles {policy}, modèle {model}',
  ],
  run: ['Run of {workflow}, attempt {n}', 'Lauf von {workflow}, Versuch {n}', 'Exécution de {workflow}, essai {n}'],
  retriesN: ['{n} {n|retry|retries}', '{n} {n|Wiederholung|Wiederholungen}', '{n} {n|reprise|reprises}'],
  notified: ['{who}: {state}', '{who}: {state}', '{who} : {state}'],
  byWhom: ['by {name}', 'durch {name}', 'par {name}'],
  deadLetterHere: [
    'It stands in the dead letters: {why}',
    'Es liegt beim Unzustellbaren: {why}',
    'Il est dans les messages morts : {why}',
  ],
  text: ['Text', 'Text', 'Texte'],
  // Dead letters
  deadHint: [
    'What could not be done after every retry. It stays until somebody has seen it; sending it again is safe.',
    'Was nach allen Versuchen nicht ging. Es bleibt, bis jemand es gesehen hat; erneut senden ist ungefährlich.',
    'Ce qui a échoué après toutes les tentatives. Rien ne disparaît sans être vu ; renvoyer est sans danger.',
  ],
  noDead: ['No dead letters.', 'Nichts Unzustellbares.', 'Aucun message mort.'],
  redrive: ['Send again', 'Erneut senden', 'Renvoyer'],
  redriveAll: ['Send all again', 'Alle erneut senden', 'Tout renvoyer'],
  redriven: ['{n} sent again', '{n} erneut gesendet', '{n} renvoyés'],
  redriveFailed: ['{n} could not be sent', '{n} nicht gesendet', '{n} non renvoyés'],
  attemptsN: ['{n} {n|attempt|attempts}', '{n} {n|Versuch|Versuche}', '{n} {n|essai|essais}'],
  fromQueue: ['from {queue}', 'aus {queue}', 'de {queue}'],
  noSite: ['no known site', 'keine bekannte Website', 'site inconnu'],
  loadMore: ['Show more', 'Mehr zeigen', 'Afficher plus'],
  // Policy
  groupJudge: ['What is held and rejected', 'Was zurückgehalten und abgelehnt wird', 'Ce qui est retenu et rejeté'],
  groupLists: ['Lists', 'Listen', 'Listes'],
  groupQueue: ['Queue, reports and reminders', 'Warteschlange, Meldungen, Erinnerungen', 'File, signalements, rappels'],
  groupWriters: ['Writers', 'Verfasser', 'Auteurs'],
  p_holdAt: [
    'Hold from a spam probability of (%)',
    'Zurückhalten ab Spam-Wahrscheinlichkeit (%)',
    'Retenir dès une probabilité de spam de (%)',
  ],
  p_rejectAt: ['Reject from (%)', 'Ablehnen ab (%)', 'Rejeter dès (%)'],
  p_toxicityHoldAt: [
    'Hold from a toxicity of (%)',
    'Zurückhalten ab Giftigkeit (%)',
    'Retenir dès une toxicité de (%)',
  ],
  p_linksBeforeHold: [
    'Hold from this many links',
    'Zurückhalten ab so vielen Links',
    'Retenir à partir de tant de liens',
  ],
  p_holdFirst: [
    'Hold the first comment of a writer',
    'Ersten Kommentar eines Verfassers zurückhalten',
    'Retenir le premier commentaire d’un auteur',
  ],
  p_premoderate: [
    'Hold everything but trusted writers',
    'Alles zurückhalten außer von vertrauten Verfassern',
    'Tout retenir sauf les auteurs de confiance',
  ],
  p_trustAfter: [
    'Trust a writer after this many published',
    'Vertrauen nach so vielen Veröffentlichten',
    'Confiance après tant de publiés',
  ],
  p_blocklist: ['Words', 'Wörter', 'Mots'],
  p_linkHostBlocklist: ['Link hosts', 'Link-Ziele', 'Hôtes de liens'],
  p_reportersToQueue: [
    'Reporters that bring a comment here',
    'Melder, die einen Kommentar herbringen',
    'Signaleurs qui amènent un commentaire ici',
  ],
  p_reportsHide: [
    'Reports hide until it is decided',
    'Meldungen verbergen bis zur Entscheidung',
    'Les signalements masquent jusqu’à décision',
  ],
  p_appeals: ['Appeals a comment', 'Einsprüche je Kommentar', 'Recours par commentaire'],
  p_reminderHours: ['Remind after (hours)', 'Erinnern nach (Stunden)', 'Rappeler après (heures)'],
  p_escalationHours: [
    'Tell admins after (hours)',
    'Admins benachrichtigen nach (Stunden)',
    'Prévenir les admins après (heures)',
  ],
  p_defaultAfterHours: [
    'Decide by itself after (hours)',
    'Von selbst entscheiden nach (Stunden)',
    'Décider seul après (heures)',
  ],
  p_defaultAction: ['That decision', 'Diese Entscheidung', 'Cette décision'],
  p_bodyBytes: ['Longest comment (bytes)', 'Längster Kommentar (Bytes)', 'Plus long commentaire (octets)'],
  p_replyDepth: ['Deepest reply', 'Tiefste Antwort', 'Réponse la plus profonde'],
  p_editMinutes: [
    'Writers may edit for (minutes)',
    'Verfasser dürfen ändern (Minuten)',
    'Modifiable pendant (minutes)',
  ],
  p_clientPerMinute: [
    'Submissions a minute and client',
    'Einsendungen je Minute und Gerät',
    'Envois par minute et client',
  ],
  p_clientPerHour: ['Submissions an hour and client', 'Einsendungen je Stunde und Gerät', 'Envois par heure et client'],
  p_closeAfterDays: ['Close threads after (days)', 'Beiträge schließen nach (Tagen)', 'Fermer les fils après (jours)'],
  p_undoSeconds: [
    'Wait before notifying (seconds)',
    'Warten vor Benachrichtigung (Sekunden)',
    'Attendre avant de notifier (secondes)',
  ],
  entriesHint: [
    'One a line. ! in front rejects, without it holds. An end is written | 2027-01-31.',
    'Eins je Zeile. Mit ! davor wird abgelehnt, sonst zurückgehalten. Ein Ende schreibt man | 2027-01-31.',
    'Un par ligne. ! devant rejette, sinon retient. Une fin s’écrit | 2027-01-31.',
  ],
  p_trustedWriters: ['Trusted writers', 'Vertraute Verfasser', 'Auteurs de confiance'],
  p_trustedWritersHint: [
    'Writer keys, one a line, as the filter by writer shows them.',
    'Verfasser-Schlüssel, je Zeile einer, wie der Filter nach Verfasser sie zeigt.',
    'Clés d’auteurs, une par ligne, comme dans le filtre par auteur.',
  ],
  groupHours: ['When more waits', 'Wann mehr wartet', 'Quand davantage attend'],
  p_hours: ['Hours in which everything waits', 'Stunden, in denen alles wartet', 'Heures où tout attend'],
  p_hoursHint: [
    'But for trusted writers. The widget says so, and it ends by itself.',
    'Außer von vertrauten Verfassern. Das Widget sagt es, und es endet von selbst.',
    'Sauf auteurs de confiance. Le widget le dit, et cela finit tout seul.',
  ],
  hoursN: ['Hours {n}', 'Stunden {n}', 'Plage {n}'],
  hoursAdd: ['Add hours', 'Stunden hinzufügen', 'Ajouter une plage'],
  hoursFrom: ['From', 'Von', 'De'],
  hoursTo: ['To', 'Bis', 'À'],
  hoursZone: ['Time zone', 'Zeitzone', 'Fuseau'],
  p_holdUntil: ['Away until', 'Abwesend bis', 'Absent jusqu’au'],
  p_holdUntilHint: [
    'Newcomers and what is a little doubtful wait until then.',
    'Neulinge und leicht Bedenkliches warten bis dahin.',
    'Nouveaux venus et cas douteux attendent jusque-là.',
  ],
  p_heatPerMinute: [
    'A thread is hot from (comments a minute)',
    'Ein Beitrag ist heiß ab (Kommentare je Minute)',
    'Un fil est chaud dès (commentaires par minute)',
  ],
  p_heatPerMinuteHint: [
    'Newcomers wait in it until it cools.',
    'Neulinge warten darin, bis er abkühlt.',
    'Les nouveaux venus y attendent qu’il refroidisse.',
  ],
  p_reasons: ['Reasons to reject', 'Ablehnungsgründe', 'Raisons de rejet'],
  p_reasonsHint: [
    'One a line, lower-case letters, digits and dashes. The writer reads them.',
    'Je Zeile einer, Kleinbuchstaben, Ziffern und Striche. Der Verfasser liest sie.',
    'Une par ligne, minuscules, chiffres et tirets. L’auteur les lit.',
  ],
  p_nameCharacters: ['Longest name (characters)', 'Längster Name (Zeichen)', 'Plus long nom (caractères)'],
  p_sitePerMinute: [
    'Submissions a minute of unknown writers',
    'Einsendungen je Minute von Unbekannten',
    'Envois par minute d’inconnus',
  ],
  p_notifyBurstMinutes: [
    'One mail a thread within (minutes)',
    'Eine Mail je Beitrag binnen (Minuten)',
    'Un courriel par fil en (minutes)',
  ],
  p_images: ['Images in comments', 'Bilder in Kommentaren', 'Images dans les commentaires'],
  groupProviders: ['Second opinions', 'Zweitmeinungen', 'Seconds avis'],
  p_akismet: ['Ask Akismet', 'Akismet fragen', 'Demander à Akismet'],
  p_bedrock: [
    'Ask a language model (Bedrock) where the judge is unsure',
    'Ein Sprachmodell (Bedrock) fragen, wo das Urteil unsicher ist',
    'Demander à un modèle de langue (Bedrock) en cas de doute',
  ],
  p_bedrockPerDay: ['Questions to it a day', 'Fragen am Tag', 'Questions par jour'],
  never: ['never', 'nie', 'jamais'],
  asForm: ['Form', 'Formular', 'Formulaire'],
  discard: ['Discard', 'Verwerfen', 'Abandonner'],
  saved: ['Saved', 'Gespeichert', 'Enregistré'],
  policyDefaults: ['The defaults, never changed', 'Die Vorgaben, nie geändert', 'Les valeurs par défaut'],
  policyVersion: ['Version {n} by {name}, {date}', 'Fassung {n} von {name}, {date}', 'Version {n} par {name}, {date}'],
  policySaved: ['Saved as version {n}', 'Gespeichert als Fassung {n}', 'Enregistré : version {n}'],
  policyNewer: [
    'Not saved: {why}. Discard, and make your change on it.',
    'Nicht gespeichert: {why}. Verwerfen und darauf neu ändern.',
    'Non enregistré : {why}. Abandonnez puis recommencez.',
  ],
  versions: ['Versions', 'Fassungen', 'Versions'],
  takeVersion: ['Go back to this one', 'Zu dieser zurück', 'Revenir à celle-ci'],
  backtest: ['Try it on past comments', 'An vergangenen Kommentaren erproben', 'Essayer sur le passé'],
  backtestHint: [
    'What this draft would have decided, beside what was decided. Nothing changes.',
    'Was dieser Entwurf entschieden hätte, neben dem, was entschieden wurde. Nichts ändert sich.',
    'Ce que ce brouillon aurait décidé. Rien ne change.',
  ],
  backtestLast: ['How many', 'Wie viele', 'Combien'],
  lastN: ['the last {n}', 'die letzten {n}', 'les {n} derniers'],
  runBacktest: ['Try', 'Erproben', 'Essayer'],
  backtestChanged: [
    '{n} of {of} would be decided otherwise',
    '{n} von {of} würden anders entschieden',
    '{n} sur {of} seraient décidés autrement',
  ],
  live: ['Now', 'Jetzt', 'Actuel'],
  draft: ['Draft', 'Entwurf', 'Brouillon'],
  heldPerDay: ['Held a day', 'Zurückgehalten am Tag', 'Retenus par jour'],
  againstPeople: [
    'Against moderators ({n} decided)',
    'Gegen Moderatoren ({n} entschieden)',
    'Contre les modérateurs ({n})',
  ],
  askedPeople: ['Left to moderators', 'Moderatoren überlassen', 'Laissé aux modérateurs'],
  peopleSay: ['Moderators', 'Moderatoren', 'Modérateurs'],
  queuePerDay: ['Held on each day', 'Zurückgehalten an jedem Tag', 'Retenus chaque jour'],
  shadow: ['A draft in the shadow', 'Ein Entwurf im Schatten', 'Un brouillon dans l’ombre'],
  shadowHint: [
    'Judges each new comment beside the live policy, decides nothing, and reports here.',
    'Beurteilt jeden neuen Kommentar neben den geltenden Regeln, entscheidet nichts und berichtet hier.',
    'Juge chaque nouveau commentaire à côté des règles en vigueur, ne décide rien, et rend compte ici.',
  ],
  shadowStart: ['Let this draft run beside', 'Diesen Entwurf mitlaufen lassen', 'Faire tourner ce brouillon'],
  shadowSince: ['By {name} since {date}.', 'Von {name} seit {date}.', 'Par {name} depuis le {date}.'],
  shadowChanged: [
    '{n} of {of} comments would have been decided otherwise.',
    '{n} von {of} Kommentaren wären anders entschieden worden.',
    '{n} commentaires sur {of} auraient été décidés autrement.',
  ],
  shadowEnd: ['End it', 'Beenden', 'L’arrêter'],
  makeLive: ['Make it live', 'In Kraft setzen', 'Mettre en vigueur'],
  refresh: ['Refresh', 'Aktualisieren', 'Actualiser'],
  v_publish: ['published', 'veröffentlicht', 'publié'],
  v_hold: ['held', 'zurückgehalten', 'retenu'],
  v_reject: ['rejected', 'abgelehnt', 'rejeté'],
  // An import as proof
  proof: ['The import as proof', 'Der Import als Probe', 'L’import comme preuve'],
  proofHint: [
    'What Sluice would have done with the imported comments, against what the file says became of them. Nothing changes.',
    'Was Sluice mit den importierten Kommentaren getan hätte, gegen das, was die Datei sagt. Nichts ändert sich.',
    'Ce que Sluice aurait fait des commentaires importés, face à ce que dit le fichier. Rien ne change.',
  ],
  proofRun: ['Judge them', 'Beurteilen', 'Juger'],
  proofFigures: [
    '{n} {n|comment|comments} since {date}',
    '{n} {n|Kommentar|Kommentare} seit {date}',
    '{n} {n|commentaire|commentaires} depuis le {date}',
  ],
  proofParts: [
    'Of {n} imported with a verdict, the earlier {trained} teach and the later ones are judged: as Sluice is now, and taught.',
    'Von {n} importierten mit Urteil lehren die früheren {trained}, die späteren werden beurteilt: wie Sluice jetzt ist, und belehrt.',
    'Sur {n} importés avec verdict, les {trained} premiers instruisent et les suivants sont jugés : en l’état, puis instruit.',
  ],
  proofNow: ['As it is', 'Wie es ist', 'En l’état'],
  proofTaught: ['Taught', 'Belehrt', 'Instruit'],
  proofFile: ['In the file', 'In der Datei', 'Dans le fichier'],
  proofAgreed: ['Agrees with the file', 'Stimmt mit der Datei überein', 'D’accord avec le fichier'],
  proofAsked: ['Would have asked a moderator', 'Hätte Moderatoren gefragt', 'Aurait demandé à un modérateur'],
  proofWrong: ['Honest, would be rejected', 'Ehrlich, würde abgelehnt', 'Honnêtes, seraient rejetés'],
  proofMissed: ['Refused, would be published', 'Abgelehnt, würde veröffentlicht', 'Refusés, seraient publiés'],
  proofDisagreements: ['Strongest disagreements', 'Stärkste Widersprüche', 'Plus forts désaccords'],
  proofAccept: [
    'Accept the verdicts of the earlier {n} as training',
    'Urteile der früheren {n} als Lehre annehmen',
    'Accepter les verdicts des {n} premiers comme leçons',
  ],
  proofAccepted: [
    'Accepted: {n} comments teach the judge of this site',
    'Angenommen: {n} Kommentare belehren das Urteil dieser Website',
    'Accepté : {n} commentaires instruisent le juge de ce site',
  ],
  proofTakeBack: ['Take back what imports taught', 'Lehren der Importe zurücknehmen', 'Oublier les leçons des imports'],
  proofTakenBack: ['Taken back', 'Zurückgenommen', 'Oubliées'],
  // Bans and offered rules
  bans: ['Bans', 'Sperren', 'Bannissements'],
  ban: ['Ban', 'Sperren', 'Bannir'],
  bansHint: [
    'What is held or rejected whatever the judge says. The writer is told why: no ban is a secret.',
    'Was zurückgehalten oder abgelehnt wird, gleich was das Urteil sagt. Der Verfasser erfährt warum: keine Sperre ist geheim.',
    'Ce qui est retenu ou rejeté quoi que dise le juge. L’auteur sait pourquoi : aucun bannissement n’est secret.',
  ],
  noBans: ['Nobody and nothing is banned.', 'Niemand und nichts ist gesperrt.', 'Rien ni personne n’est banni.'],
  banWriter: ['Writer', 'Verfasser', 'Auteur'],
  banNetwork: ['Network', 'Netz', 'Réseau'],
  banText: ['Texts like this', 'Texte wie dieser', 'Textes semblables'],
  banHost: ['Links to', 'Links zu', 'Liens vers'],
  banWord: ['Word', 'Wort', 'Mot'],
  banWhat: ['What', 'Was', 'Quoi'],
  banValue: ['Host or word', 'Ziel oder Wort', 'Hôte ou mot'],
  banAction: ['New comments are', 'Neue Kommentare', 'Nouveaux commentaires'],
  banFor: ['For', 'Für', 'Pendant'],
  banForever: ['until it is lifted', 'bis zur Aufhebung', 'jusqu’à sa levée'],
  banUntil: ['until {date}', 'bis {date}', 'jusqu’au {date}'],
  banReason: ['Reason', 'Grund', 'Raison'],
  banReasonHint: ['The writer reads it.', 'Der Verfasser liest ihn.', 'L’auteur la lit.'],
  banNameless: ['as in the comment', 'wie im Kommentar', 'comme dans le commentaire'],
  banEnded: ['ended', 'beendet', 'terminé'],
  banLift: ['Lift', 'Aufheben', 'Lever'],
  banLifted: ['Lifted', 'Aufgehoben', 'Levé'],
  banned: ['Banned: {what}', 'Gesperrt: {what}', 'Banni : {what}'],
  banAdd: ['Ban a host or a word', 'Ziel oder Wort sperren', 'Bannir un hôte ou un mot'],
  banAddHint: [
    'Writers, networks and texts are banned from a comment in the queue.',
    'Verfasser, Netze und Texte werden von einem Kommentar aus gesperrt.',
    'Auteurs, réseaux et textes se bannissent depuis un commentaire.',
  ],
  days: ['{n} {n|day|days}', '{n} {n|Tag|Tage}', '{n} {n|jour|jours}'],
  offerText: ['nearly the same text', 'fast derselbe Text', 'presque le même texte'],
  offerHost: ['links to {value}', 'Links zu {value}', 'liens vers {value}'],
  offerNetwork: ['the same network', 'dasselbe Netz', 'le même réseau'],
  offerWord: ['the word “{value}”', 'das Wort „{value}“', 'le mot « {value} »'],
  offer: ['{n} rejected alike: {what}.', '{n} gleich abgelehnt: {what}.', '{n} rejets semblables : {what}.'],
  offerRejects: [
    'A rule that rejects would have caught {caught} of {rejected} rejected, {wrong} of {published} published.',
    'Eine Regel, die ablehnt, hätte {caught} von {rejected} Abgelehnten getroffen und {wrong} von {published} Veröffentlichten.',
    'Une règle de rejet aurait pris {caught} rejetés sur {rejected}, {wrong} publiés sur {published}.',
  ],
  offerHolds: [
    'A rule that holds would have caught {caught} of {rejected} rejected, {wrong} of {published} published.',
    'Eine Regel, die zurückhält, hätte {caught} von {rejected} Abgelehnten getroffen und {wrong} von {published} Veröffentlichten.',
    'Une règle de retenue aurait pris {caught} rejetés sur {rejected}, {wrong} publiés sur {published}.',
  ],
  offerAdd: ['Add it for {n} days', 'Für {n} Tage hinzufügen', 'Ajouter pour {n} jours'],
  offerNot: ['Not now', 'Jetzt nicht', 'Pas maintenant'],
  offerAdded: ['Rule added: {what}', 'Regel hinzugefügt: {what}', 'Règle ajoutée : {what}'],
  offerReason: ['like comments that were rejected', 'wie abgelehnte Kommentare', 'comme des commentaires rejetés'],
  keyAccept: ['Accept what is offered', 'Angebotenes annehmen', 'Accepter la proposition'],
  // Operations
  period: ['Period', 'Zeitraum', 'Période'],
  lastDays: ['Last {n} days', 'Letzte {n} Tage', '{n} derniers jours'],
  medianWait: ['Median wait', 'Mittlere Wartezeit', 'Attente médiane'],
  agreement: ['Judge agrees', 'Urteil stimmt überein', 'Accord du juge'],
  decisionsPerDay: ['Decisions a day', 'Entscheidungen am Tag', 'Décisions par jour'],
  agreementPerDay: [
    'The judge’s agreement with moderators',
    'Übereinstimmung mit Moderatoren',
    'Accord avec les modérateurs',
  ],
  agreementHint: [
    'Of the comments that people decided: those on whose side the score stood.',
    'Von den entschiedenen Kommentaren: jene, auf deren Seite der Wert stand.',
    'Part des décisions du même côté que le score.',
  ],
  whoDecided: ['Who decided', 'Wer entschied', 'Qui a décidé'],
  decisions: ['Decisions', 'Entscheidungen', 'Décisions'],
  asTable: ['As a table', 'Als Tabelle', 'En tableau'],
  queues: ['Queues', 'Warteschlangen', 'Files'],
  queueName: ['Queue', 'Schlange', 'File'],
  depth: ['Waiting', 'Wartend', 'En attente'],
  inFlight: ['In work', 'In Arbeit', 'En cours'],
  delayed: ['Delayed', 'Verzögert', 'Différés'],
  // Audit, people, sites
  when: ['When', 'Wann', 'Quand'],
  what: ['What', 'Was', 'Quoi'],
  about: ['About', 'Worüber', 'À propos'],
  export: ['Export', 'Ausgeben', 'Exporter'],
  everySite: ['every site', 'alle Websites', 'tous les sites'],
  role: ['Role', 'Rolle', 'Rôle'],
  role_moderator: ['Moderator', 'Moderator', 'Modérateur'],
  role_admin: ['Admin', 'Admin', 'Admin'],
  noRole: ['no role', 'keine Rolle', 'aucun rôle'],
  shutOut: ['shut out', 'ausgesperrt', 'exclu'],
  shutOutAct: ['Shut out', 'Aussperren', 'Exclure'],
  letIn: ['Let in again', 'Wieder einlassen', 'Réadmettre'],
  takeBackAll: ['Take back decisions…', 'Entscheidungen zurücknehmen…', 'Annuler des décisions…'],
  since: ['Since', 'Seit', 'Depuis'],
  takeBackAct: ['Take back', 'Zurücknehmen', 'Annuler'],
  lessonsOnly: [
    'Only what they taught the judge; the decisions stand',
    'Nur was sie den Richter lehrten; die Entscheidungen bleiben',
    'Seulement ce qu’elles ont appris au juge ; les décisions restent',
  ],
  tookBack: [
    '{undone} {undone|decision|decisions} and {lessons} {lessons|lesson|lessons} taken back; {conflicts} {conflicts|was|were} overtaken',
    '{undone} {undone|Entscheidung|Entscheidungen} und {lessons} {lessons|Lektion|Lektionen} zurückgenommen; {conflicts} überholt',
    '{undone} {undone|décision annulée|décisions annulées}, {lessons} {lessons|leçon annulée|leçons annulées} ; {conflicts} {conflicts|dépassée|dépassées}',
  ],
  addUser: ['Add somebody', 'Jemanden hinzufügen', 'Ajouter quelqu’un'],
  userAdded: ['{name} can sign in', '{name} kann sich anmelden', '{name} peut se connecter'],
  ownPassword: ['Your password', 'Ihr Passwort', 'Votre mot de passe'],
  currentPassword: ['Current password', 'Jetziges Passwort', 'Mot de passe actuel'],
  newPassword: ['New password', 'Neues Passwort', 'Nouveau mot de passe'],
  passwordChanged: ['Changed. Sign in again.', 'Geändert. Melden Sie sich neu an.', 'Modifié. Reconnectez-vous.'],
  siteName: ['Name', 'Name', 'Nom'],
  siteId: ['Id', 'Kennung', 'Identifiant'],
  origins: ['Addresses of its pages', 'Adressen seiner Seiten', 'Adresses de ses pages'],
  originsHint: [
    'Scheme, host and port, one a line. None: any.',
    'Schema, Host und Port, je Zeile eine. Keine: jede.',
    'Schéma, hôte et port, un par ligne. Aucun : tous.',
  ],
  snippet: ['What goes into the page', 'Was in die Seite gehört', 'À mettre dans la page'],
  snippetHint: [
    'Put it where the comments belong, with the post’s own path as its thread. Then write a first comment: it appears in the queue here.',
    'Dort einfügen, wo die Kommentare stehen sollen, mit dem Pfad des Beitrags. Dann einen ersten Kommentar schreiben: er erscheint hier.',
    'Placez-le où vont les commentaires, avec le chemin de l’article. Puis écrivez un premier commentaire : il apparaîtra ici.',
  ],
  copy: ['Copy', 'Kopieren', 'Copier'],
  authors: ['Authors of posts', 'Autoren der Beiträge', 'Auteurs des articles'],
  authorId: ['Id', 'Kennung', 'Identifiant'],
  authorName: ['Name', 'Name', 'Nom'],
  authorEmail: ['E-mail (optional)', 'E-Mail (freiwillig)', 'E-mail (facultatif)'],
  threads: ['Threads', 'Beiträge', 'Fils'],
  closed: ['closed', 'geschlossen', 'fermé'],
  premoderated: ['hold all', 'alles zurückhalten', 'tout retenir'],
  addSite: ['Add my site', 'Meine Website hinzufügen', 'Ajouter mon site'],
  addSiteHint: [
    'Your blog, with an id of its own. The policy begins with the defaults.',
    'Ihr Blog mit eigener Kennung. Die Regeln beginnen mit den Vorgaben.',
    'Votre blog, avec un identifiant propre.',
  ],
  siteAdded: [
    '{name} is there. Choose it above.',
    '{name} ist da. Oben auswählen.',
    '{name} est là. Choisissez-le en haut.',
  ],
  // Sweeps, replies, views
  sweep: ['Decide all {n}…', 'Alle {n} entscheiden…', 'Décider les {n}…'],
  sweepTitle: [
    'Decide {n} comments at once',
    '{n} Kommentare auf einmal entscheiden',
    'Décider {n} commentaires d’un coup',
  ],
  sweepHint: [
    'All that this list shows, those not loaded too. One undo takes all of it back.',
    'Alles in dieser Liste, auch nicht Geladenes. Einmal rückgängig nimmt alles zurück.',
    'Toute cette liste, même non chargée. Une annulation suffit.',
  ],
  sweepDone: [
    '{done} decided, {conflicts} left as they are',
    '{done} entschieden, {conflicts} belassen',
    '{done} traités, {conflicts} laissés',
  ],
  sweepUndone: ['{done} taken back', '{done} zurückgenommen', '{done} annulés'],
  reply: ['Reply', 'Antworten', 'Répondre'],
  replyAs: ['As', 'Als', 'En tant que'],
  replySent: [
    'Sent; it appears once it is through',
    'Gesendet; erscheint nach der Prüfung',
    'Envoyé ; il apparaîtra ensuite',
  ],
  views: ['Views', 'Ansichten', 'Vues'],
  saveView: ['Save this view', 'Ansicht speichern', 'Enregistrer la vue'],
  viewName: ['Name of the view', 'Name der Ansicht', 'Nom de la vue'],
  deleteView: ['Delete this view', 'Ansicht löschen', 'Supprimer la vue'],
  // Shortcuts
  keyNext: ['Next comment', 'Nächster Kommentar', 'Commentaire suivant'],
  keyPrevious: ['Comment before', 'Vorheriger Kommentar', 'Commentaire précédent'],
  keySkip: ['Next that nobody looks at', 'Nächster, den niemand ansieht', 'Suivant que personne ne regarde'],
  keySelect: ['Select', 'Auswählen', 'Choisir'],
  keyUndo: ['Undo the last decision', 'Letzte Entscheidung rückgängig', 'Annuler la dernière décision'],
  keySearch: ['Search', 'Suchen', 'Rechercher'],
  keyHelp: ['This sheet', 'Dieses Blatt', 'Cette fiche'],
  keyStory: ['The whole story', 'Die ganze Geschichte', 'Toute l’histoire'],
  keysOn: ['Single-key shortcuts', 'Tastenkürzel mit einer Taste', 'Raccourcis à une touche'],
  keysHint: [
    'Click a key to change it, then press the new one.',
    'Taste anklicken, dann die neue drücken.',
    'Cliquez sur une touche puis pressez la nouvelle.',
  ],
  keysReset: ['As they were', 'Zurücksetzen', 'Par défaut'],
  pressKey: ['Press a key…', 'Taste drücken…', 'Pressez une touche…'],
} as const satisfies Record<string, readonly [string, string, string]>;

export type Word = keyof typeof WORDS;

const STORED = 'sluice-desk-language';

function firstLanguage(): Language {
  const wanted = [localStorage.getItem(STORED), ...navigator.languages].map((tag) => tag?.slice(0, 2));
  return (
    LANGUAGES.find((language) => wanted.find((tag) => LANGUAGES.some((known) => known === tag)) === language) ?? 'en'
  );
}

let language: Language = typeof localStorage === 'undefined' ? 'en' : firstLanguage();

export const currentLanguage = (): Language => language;

export function setLanguage(next: Language): void {
  language = next;
  localStorage.setItem(STORED, next);
  document.documentElement.lang = next;
}

/** Making a formatter takes longer than drawing the row that needs it: each is made once, by its name. */
const made = new Map<string, unknown>();
function formatter<T>(name: string, make: (language: Language) => T): T {
  const key = `${language} ${name}`;
  if (!made.has(key)) made.set(key, make(language));
  return made.get(key) as T;
}
const inNumbers = (value: number): string => formatter('number', (tag) => new Intl.NumberFormat(tag)).format(value);
const pluralOf = (value: number): string => formatter('plural', (tag) => new Intl.PluralRules(tag)).select(value);

const ONE_OR_MORE = /\{(\w+)\|([^|}]*)\|([^}]*)\}/g;

export function t(word: Word, fill: Record<string, string | number> = {}): string {
  const text: string = WORDS[word][LANGUAGES.indexOf(language)] ?? word;
  return text
    .replaceAll(ONE_OR_MORE, (_all, name: string, one: string, more: string) =>
      pluralOf(Number(fill[name])) === 'one' ? one : more,
    )
    .replaceAll(/\{(\w+)\}/g, (all, name: string) => {
      const value = fill[name];
      return value === undefined ? all : typeof value === 'number' ? inNumbers(value) : value;
    });
}

/** The word, or the code itself where a policy has codes of its own. */
export const tMaybe = (word: string, otherwise: string): string => (word in WORDS ? t(word as Word) : otherwise);

const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
];

/** “3 h”, in the language's own units. */
export function span(ms: number): string {
  const [unit, size] = STEPS.find(([, step]) => Math.abs(ms) >= step) ?? ['second', 1000];
  return formatter(unit, (tag) => new Intl.NumberFormat(tag, { style: 'unit', unit, unitDisplay: 'short' })).format(
    Math.round(ms / size),
  );
}

export const dateTime = (at: number): string =>
  formatter('time', (tag) => new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeStyle: 'medium' })).format(at);

export const dateOnly = (at: number): string =>
  formatter('date', (tag) => new Intl.DateTimeFormat(tag, { dateStyle: 'medium' })).format(at);
